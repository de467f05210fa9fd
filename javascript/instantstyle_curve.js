// Lets the points of the drawn curve be dragged, by mouse or finger. When a drag ends, all points go as text into a hidden
// textbox, "0:0.4, 0.3:1#<count>", and the server answers with a new drawing. Listeners stand on the document.

(() => {
    "use strict";

    const MAX_STRENGTH = 3;
    const APART = 0.01; // the least distance between two points, on the noise schedule
    const STEP = 0.05; // of strengths

    let count = 0; // makes equal edits differ
    let drag = null; // {handle, pointer, moved}

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const handlesIn = (plot) => [...plot.querySelectorAll(".instantstyle-handle")];
    const placeOf = (handle) => Number(handle.dataset.place);
    const rounded = (value, step) => Number((Math.round(value / step) * step).toFixed(2));
    const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

    function move(handle, event) {
        const plot = handle.parentElement;
        const box = plot.getBoundingClientRect();
        const [low, high] = [Number(plot.dataset.low), Number(plot.dataset.high)];
        const handles = handlesIn(plot);
        const at = handles.indexOf(handle);
        const first = at ? placeOf(handles[at - 1]) + APART : 0;
        const last = at + 1 < handles.length ? placeOf(handles[at + 1]) - APART : 1;
        const place = clamped(rounded((event.clientX - box.left) / box.width, APART), first, last);
        const strength = rounded(high - ((event.clientY - box.top) / box.height) * (high - low), STEP);
        Object.assign(handle.dataset, {place, strength: clamped(strength, 0, MAX_STRENGTH)});
        draw(plot, handles, low, high);
    }

    // The same rules as in curve.py, without start and end: the server draws it anew.
    function draw(plot, handles, low, high) {
        const line = plot.parentElement.querySelector("polyline.instantstyle-line");
        const full = line.ownerSVGElement.viewBox.baseVal.height;
        const points = handles.map((handle) => {
            const down = (high - Number(handle.dataset.strength)) / (high - low);
            Object.assign(handle.style, {left: `${100 * placeOf(handle)}%`, top: `${100 * down}%`});
            return [100 * placeOf(handle), full * down];
        });
        const ends = [[0, points[0][1]], ...points, [100, points.at(-1)[1]]];
        line.setAttribute("points", ends.map((point) => point.join(",")).join(" "));
    }

    function onPointerDown(event) {
        const handle = event.target instanceof Element ? event.target.closest(".instantstyle-handle") : null;
        if (!handle || event.button !== 0 || drag) return;
        event.preventDefault();
        handle.setPointerCapture(event.pointerId);
        drag = {handle, pointer: event.pointerId, moved: false};
    }

    function onPointerMove(event) {
        if (event.pointerId !== drag?.pointer) return;
        drag.moved = true;
        move(drag.handle, event);
    }

    function onPointerUp(event) {
        if (event.pointerId !== drag?.pointer) return;
        const {handle, moved} = drag;
        drag = null;
        const plot = handle.parentElement;
        const box = root().querySelector(`#${CSS.escape(plot.dataset.target)} textarea`);
        if (!moved || !box) return;
        const points = handlesIn(plot).map((each) => `${placeOf(each)}:${Number(each.dataset.strength)}`);
        box.value = `${points.join(", ")}#${++count}`;
        if (typeof updateInput === "function") updateInput(box);
        else box.dispatchEvent(new Event("input", {bubbles: true}));
    }

    document.addEventListener("pointerdown", onPointerDown);
    document.addEventListener("pointermove", onPointerMove);
    document.addEventListener("pointerup", onPointerUp);
    document.addEventListener("pointercancel", onPointerUp);
})();

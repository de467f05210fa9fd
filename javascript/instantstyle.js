// Makes the drawn UNet a set of eleven sliders: click, drag and arrow keys. The server holds the truth: an edit goes
// into a hidden textbox as "<block>=<weight>#<count>", and the server answers by replacing the whole drawing.
// Listeners stand on the document, since drawings come and go.

(() => {
    "use strict";

    const MAX_WEIGHT = 2; // a full bar
    const CLICK_PIXELS = 3; // less movement than this is a click
    const FINE = 0.2; // with Shift a drag moves by this share
    const ANSWER_MS = 2000; // after this the server is not waited for: an edit may leave the drawing as it was
    const KEY_STEPS = {ArrowUp: 0.05, ArrowRight: 0.05, ArrowDown: -0.05, ArrowLeft: -0.05, PageUp: 0.5, PageDown: -0.5};
    const KEY_WEIGHTS = {Home: 0, End: MAX_WEIGHT, Delete: 0};

    const queues = new Map(); // drawing's id -> {target, edits: block name -> weight, sent, drawing, timer}
    let count = 0; // makes equal edits differ
    let drag = null; // {place, pointer, start, shown: weights, exact: before rounding, lastX, lastY, way, moved}
    let focused = null; // the place that has the keyboard focus

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const blockAt = (event) => event.target instanceof Element && event.target.closest(".instantstyle-block");
    const weightOf = (block) => Number(block.getAttribute("aria-valuenow"));

    // A place outlives the drawing's replacement: the ids of drawing and block instead of the element.
    function placeOf(block) {
        return {map: block.closest(".instantstyle-blockmap").id, name: block.dataset.block};
    }

    function find(place) {
        return root().querySelector(`#${CSS.escape(place.map)} [data-block="${CSS.escape(place.name)}"]`);
    }

    function clamped(block, weight) {
        const [low, high] = ["min", "max"].map((end) => Number(block.getAttribute(`aria-value${end}`)));
        return Math.min(Math.max(weight, low), high);
    }

    function rounded(block, weight, step) {
        return clamped(block, Number((Math.round(weight / step) * step).toFixed(2)));
    }

    // The same rules as in block_map.py.
    function draw(block, weight) {
        block.style.setProperty("--share", Math.min(Math.abs(weight) / MAX_WEIGHT, 1));
        block.setAttribute("aria-valuenow", weight.toFixed(2));
        block.querySelector(".instantstyle-number").textContent = weight.toFixed(2).replace("-", "−");
        block.classList.toggle("instantstyle-negative", weight < 0);
        block.classList.toggle("instantstyle-off", weight === 0 && !block.querySelector(".instantstyle-site"));
    }

    // One edit at a time is on its way; the next waits for the answer, because the page sends all other values along
    // and would send those from before the answer. Meanwhile only the newest weight of each block is kept.
    function commit(block, weight) {
        draw(block, weight);
        const map = block.closest(".instantstyle-blockmap");
        if (!queues.has(map.id)) queues.set(map.id, {edits: new Map(), sent: null, drawing: null, timer: 0});
        const queue = queues.get(map.id);
        queue.target = map.dataset.target;
        queue.edits.set(block.dataset.block, weight);
        if (!queue.sent) send(map.id, queue);
    }

    function send(id, queue) {
        clearTimeout(queue.timer);
        queue.sent = null;
        if (!queue.edits.size) return;
        const [name, weight] = queue.edits.entries().next().value;
        queue.edits.delete(name);
        const box = root().querySelector(`#${CSS.escape(queue.target)} :is(textarea, input)`);
        if (!box) return;
        queue.sent = {name, weight};
        queue.drawing = root().querySelector(`#${CSS.escape(id)}`);
        queue.timer = setTimeout(() => send(id, queue), ANSWER_MS);
        box.value = `${name}=${weight.toFixed(2)}#${++count}`;
        if (typeof updateInput === "function") updateInput(box);
        else box.dispatchEvent(new Event("input", {bubbles: true}));
    }

    // --- pointer: a drag goes on when the drawing under it is replaced

    function onPointerDown(event) {
        const block = blockAt(event);
        if (!block || event.button !== 0 || drag) return;
        const weight = weightOf(block);
        const weights = {start: weight, shown: weight, exact: weight};
        drag = {place: placeOf(block), pointer: event.pointerId, ...weights, lastX: event.clientX, lastY: event.clientY, way: 0, moved: false};
        block.setPointerCapture(event.pointerId);
    }

    function onPointerMove(event) {
        if (!drag || event.pointerId !== drag.pointer) return;
        const block = find(drag.place);
        if (!block) return;
        const {width, height} = block.querySelector(".instantstyle-track").getBoundingClientRect();
        const way = width > height ? event.clientX - drag.lastX : drag.lastY - event.clientY; // a row, or a column
        [drag.lastX, drag.lastY] = [event.clientX, event.clientY];
        drag.way += way;
        drag.moved = drag.moved || Math.abs(drag.way) >= CLICK_PIXELS;
        if (!drag.moved) return;
        const share = (event.shiftKey ? FINE : 1) / Math.max(width, height);
        drag.exact = clamped(block, drag.exact + share * way * MAX_WEIGHT);
        drag.shown = rounded(block, drag.exact, event.shiftKey ? 0.01 : 0.05);
        draw(block, drag.shown);
    }

    function onPointerUp(event) {
        if (!drag || event.pointerId !== drag.pointer) return;
        const {place, moved, start, shown} = drag;
        drag = null;
        const block = find(place);
        if (!block) return;
        if (event.type === "pointercancel") draw(block, start);
        else if (!moved) toggle(block);
        else if (shown !== start) commit(block, shown);
    }

    function toggle(block) {
        commit(block, weightOf(block) ? 0 : 1);
    }

    // Screen readers click without a pointer.
    function onClick(event) {
        const block = blockAt(event);
        if (block && event.detail === 0) toggle(block);
    }

    // --- keyboard

    function onKeyDown(event) {
        const block = blockAt(event);
        if (!block || event.ctrlKey || event.altKey || event.metaKey) return;
        const weight = weightOf(block);
        if (event.key in KEY_STEPS) commit(block, rounded(block, weight + KEY_STEPS[event.key], 0.01));
        else if (event.key in KEY_WEIGHTS) commit(block, KEY_WEIGHTS[event.key]);
        else if (event.key === "Enter" || event.key === " ") toggle(block);
        else return;
        event.preventDefault();
    }

    // A replaced block loses the focus too, but is gone by then. Where the focus moves on, onFocusIn tells.
    function onFocusOut(event) {
        const block = blockAt(event);
        const left = () => block.isConnected && document.activeElement === document.body;
        if (block) setTimeout(() => left() && (focused = null));
    }

    function onFocusIn(event) {
        const block = blockAt(event);
        focused = block ? placeOf(block) : null;
    }

    // --- replaced drawings: send what waited, draw what is not answered yet, give the focus back

    function onReplaced() {
        for (const [id, queue] of queues) {
            const map = queue.sent && root().querySelector(`#${CSS.escape(id)}`);
            if (!map || map === queue.drawing) continue;
            send(id, queue);
            for (const [name, weight] of queue.edits) draw(find({map: id, name}), weight);
            if (queue.sent) draw(find({map: id, name: queue.sent.name}), queue.sent.weight);
        }
        const dragged = drag?.moved && find(drag.place);
        if (dragged && weightOf(dragged) !== drag.shown) draw(dragged, drag.shown); // drawing calls this again
        if (focused && document.activeElement === document.body) find(focused)?.focus({preventScroll: true});
    }

    document.addEventListener("pointerdown", onPointerDown);
    document.addEventListener("pointermove", onPointerMove);
    document.addEventListener("pointerup", onPointerUp);
    document.addEventListener("pointercancel", onPointerUp);
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKeyDown);
    document.addEventListener("focusin", onFocusIn);
    document.addEventListener("focusout", onFocusOut);
    new MutationObserver(onReplaced).observe(document.documentElement, {childList: true, subtree: true});
})();

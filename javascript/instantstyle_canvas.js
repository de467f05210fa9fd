// The canvas of the tab Regions: white strokes over nothing or over a picture. The strokes alone are the canvas's
// pixels, the picture is its background. Listeners stand on the document. The globals are instantstyleBlank,
// instantstylePainting and instantstyleSize, for gradio's js.

(() => {
    "use strict";

    const LONGEST = 768; // pixels, the longer side of the strokes
    const SHORTEST = 16; // the server refuses less
    const MOST_UNDONE = 20; // strokes
    const PADS = ".instantstyle-canvas";

    const pads = new WeakMap(); // pad -> {picture: what was uploaded, before: canvases to go back to, last: point}

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const padIn = (id) => root().querySelector(`#${CSS.escape(id)} ${PADS}`);
    const padAt = (event) => (event.target instanceof Element ? event.target.closest(PADS) : null);
    const canvasOf = (pad) => pad.querySelector("canvas");
    const brushOf = (canvas) => canvas.getContext("2d");

    function begin(pad, [width, height], picture = "", note = "") {
        const scale = LONGEST / Math.max(width, height);
        const canvas = canvasOf(pad);
        [canvas.width, canvas.height] = [width, height].map((side) => Math.max(Math.round(side * scale), SHORTEST));
        canvas.style.backgroundImage = picture && !note ? `url("${picture}")` : "";
        pad.querySelector("p").textContent = note;
        pads.set(pad, {picture, before: [], last: null});
    }

    // [width, height] of a tab, "txt2img" or "img2img".
    function sizeIn(tab) {
        return ["width", "height"].map((side) => Number(root().querySelector(`#${tab}_${side} input[type=number]`)?.value));
    }

    window.instantstyleSize = sizeIn;

    // --- a picture to paint on, or a mask

    const read = (file) => new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(file);
    });

    const sizeOf = (picture) => new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
        image.onerror = () => resolve(null);
        image.src = picture;
    });

    // One that browsers do not show can be a mask all the same: the server opens more formats, or says why not.
    async function onChange(event) {
        const pad = padAt(event);
        if (!pad || event.target.type !== "file" || !event.target.files.length) return;
        const [file] = event.target.files;
        const picture = await read(file);
        const size = await sizeOf(picture);
        begin(pad, size ?? [1, 1], picture, size ? "" : file.name);
        event.target.value = ""; // the same file may be chosen again
    }

    // --- strokes

    function pointOf(canvas, event) {
        const box = canvas.getBoundingClientRect();
        return [(event.clientX - box.left) * (canvas.width / box.width), (event.clientY - box.top) * (canvas.height / box.height)];
    }

    function copyOf(canvas) {
        const copy = Object.assign(document.createElement("canvas"), {width: canvas.width, height: canvas.height});
        brushOf(copy).drawImage(canvas, 0, 0);
        return copy;
    }

    function drawTo(pad, point) {
        const canvas = canvasOf(pad);
        const state = pads.get(pad);
        const brush = brushOf(canvas);
        const share = Number(pad.querySelector("[data-brush]").value) / 100;
        brush.globalCompositeOperation = pad.querySelector("[data-eraser]").checked ? "destination-out" : "source-over";
        brush.lineWidth = share * Math.min(canvas.width, canvas.height);
        brush.lineCap = brush.lineJoin = "round";
        brush.strokeStyle = "#ffffff";
        brush.beginPath();
        brush.moveTo(...state.last);
        brush.lineTo(...point);
        brush.stroke();
        state.last = point;
    }

    function onPointerDown(event) {
        const pad = padAt(event);
        if (!pad || event.target !== canvasOf(pad) || event.button !== 0 || !pads.has(pad)) return;
        event.preventDefault();
        event.target.setPointerCapture(event.pointerId);
        const state = pads.get(pad);
        state.before = [...state.before, copyOf(event.target)].slice(-MOST_UNDONE);
        state.last = pointOf(event.target, event);
        drawTo(pad, state.last);
    }

    function onPointerMove(event) {
        const pad = padAt(event);
        if (!pad || !pads.get(pad)?.last) return;
        const passed = event.getCoalescedEvents?.() ?? [];
        for (const each of passed.length ? passed : [event]) drawTo(pad, pointOf(canvasOf(pad), each));
    }

    function onPointerUp(event) {
        const state = pads.get(padAt(event));
        if (state) state.last = null;
    }

    function onClick(event) {
        const pad = padAt(event);
        if (!pad || !event.target.closest("[data-undo]")) return;
        const before = pads.get(pad)?.before.pop();
        if (!before) return;
        const brush = brushOf(canvasOf(pad));
        brush.globalCompositeOperation = "copy";
        brush.drawImage(before, 0, 0);
    }

    document.addEventListener("change", onChange);
    document.addEventListener("pointerdown", onPointerDown);
    document.addEventListener("pointermove", onPointerMove);
    document.addEventListener("pointerup", onPointerUp);
    document.addEventListener("pointercancel", onPointerUp);
    document.addEventListener("click", onClick);

    // Begins anew, in the shape of the picture that "txt2img" or "img2img" will make.
    window.instantstyleBlank = (id, tab) => {
        begin(padIn(id), sizeIn(tab));
        return [];
    };

    // [picture, strokes] as texts; both are empty while nothing was begun.
    window.instantstylePainting = (id) => {
        const pad = padIn(id);
        const state = pads.get(pad);
        return state ? [state.picture, canvasOf(pad).toDataURL()] : ["", ""];
    };
})();

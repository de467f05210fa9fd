// The canvas of the tab Regions. The pixels of the upper canvas are the region of the chosen reference, in its colour;
// the lower one shows all other regions. What is painted goes to the server when the stroke ends, one region at a time,
// and comes back as a picture in the gallery of masks, from which both canvases are drawn. Listeners stand on the
// document. The globals are instantstyleShowRegion, instantstyleRegion and instantstyleRegionSet.

(() => {
    "use strict";

    const LONGEST = 768; // pixels, the longer side of the canvas
    const HIGHEST = 400; // pixels of the page, the canvas as it is shown
    const SHORTEST = 16; // the server refuses less
    const MOST_UNDONE = 20; // changes
    const LOOK_MS = 300; // between looks at what the accordion holds
    const DRAWN_MS = 50; // until the page holds what the server answered
    const UNKNOWN = "?"; // in the place of a mask's address: draw it anew
    const PADS = ".instantstyle-canvas";

    // pad -> {number: of the reference, size, own and others: the masks that are drawn (null: none yet), before: canvases
    //   to go back to, stroke: points, edits: number -> picture, sent: an edit on its way, waiting: a button to press then}
    const pads = new WeakMap();

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const partOf = (pad, name) => root().querySelector(`#script_${pad.dataset.tab}_instantstyle_${name}`);
    const padIn = (tab) => root().querySelector(`${PADS}[data-tab="${tab}"]`);
    const padAt = (event) => (event.target instanceof Element ? event.target.closest(PADS) : null);
    const ownOf = (pad) => pad.querySelector("canvas[data-own]");
    const paperOf = (pad) => pad.querySelector("[data-sheet]");
    const othersOf = (pad) => pad.querySelector("canvas[data-others]");

    function stateOf(pad) {
        if (!pads.has(pad)) {
            const shown = {size: "", own: null, others: null};
            pads.set(pad, {number: 1, ...shown, before: [], stroke: null, edits: new Map(), sent: null, waiting: null});
        }
        return pads.get(pad);
    }

    // [width, height] of a tab, "txt2img" or "img2img".
    function sizeIn(tab) {
        return ["width", "height"].map((side) => Number(root().querySelector(`#${tab}_${side} input[type=number]`)?.value));
    }

    // --- canvases

    function sheet({width, height}) {
        return Object.assign(document.createElement("canvas"), {width, height});
    }

    function copyOf(canvas) {
        return draw(sheet(canvas), canvas);
    }

    function draw(canvas, picture, operation = "source-over") {
        const context = canvas.getContext("2d");
        context.globalCompositeOperation = operation;
        context.drawImage(picture, 0, 0, canvas.width, canvas.height);
        context.globalCompositeOperation = "source-over";
        return canvas;
    }

    function filled(canvas, colour) {
        const context = canvas.getContext("2d");
        context.fillStyle = colour;
        context.fillRect(0, 0, canvas.width, canvas.height);
        return canvas;
    }

    const loaded = (source) => new Promise((resolve) => {
        if (!source) return resolve(null);
        const image = new Image();
        image.onload = () => resolve(image);
        image.onerror = () => resolve(null);
        image.src = source;
    });

    // A mask as the pixels of a region: opaque where it is white, stretched to the shape of the canvas.
    async function region(canvas, source, colour) {
        const mask = await loaded(source);
        const pixels = sheet(canvas);
        if (!mask) return pixels;
        const context = draw(pixels, mask).getContext("2d");
        const values = context.getImageData(0, 0, pixels.width, pixels.height);
        for (let at = 0; at < values.data.length; at += 4) values.data[at + 3] = values.data[at];
        context.putImageData(values, 0, 0);
        context.globalCompositeOperation = "source-in";
        return filled(pixels, colour);
    }

    // White on black, as the server takes it; "" if there is nothing.
    function maskOf(canvas) {
        const context = canvas.getContext("2d");
        const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
        if (!data.some((value, at) => at % 4 === 3 && value)) return "";
        const white = copyOf(canvas);
        white.getContext("2d").globalCompositeOperation = "source-in";
        filled(white, "#ffffff");
        return draw(filled(sheet(canvas), "#000000"), white).toDataURL();
    }

    // --- what is shown follows what the accordion holds

    function look(pad) {
        if (!pad.offsetParent) return;
        const state = stateOf(pad);
        const references = window.instantstyleReferences(pad.dataset.tab);
        pad.classList.toggle("instantstyle-none", !references.length);
        if (!references.some((each) => each.number === state.number)) choose(state, 1);
        drawChips(pad, references, state.number);
        drawBackground(pad);
        const size = sizeIn(pad.dataset.tab);
        if (state.size !== String(size)) resize(pad, state, size);
        if (state.stroke || state.sent) return;
        const [own] = references.filter((each) => each.number === state.number).map((each) => each.mask);
        if (own !== undefined && own !== state.own) drawOwn(pad, state, own);
        drawOthers(pad, state, references.filter((each) => each.mask && each.number !== state.number));
    }

    function choose(state, number) {
        Object.assign(state, {number, own: null, others: null, before: []});
    }

    function resize(pad, state, size) {
        const scale = LONGEST / Math.max(...size);
        const [width, height] = size.map((side) => Math.max(Math.round(side * scale), SHORTEST));
        for (const canvas of [ownOf(pad), othersOf(pad)]) Object.assign(canvas, {width, height});
        paperOf(pad).style.width = `min(100%, ${(HIGHEST * width) / height}px)`;
        choose(state, state.number);
        state.size = String(size);
    }

    async function drawOwn(pad, state, source) {
        const {number, size} = state;
        const pixels = await region(ownOf(pad), source, window.instantstyleColour(number));
        if (state.number !== number || state.size !== size || state.stroke || state.sent) return; // look again
        state.own = source;
        draw(ownOf(pad), pixels, "copy");
    }

    async function drawOthers(pad, state, others) {
        const key = JSON.stringify(others.map((each) => [each.number, each.mask]));
        if (state.others === key) return;
        state.others = key;
        const canvas = othersOf(pad);
        const layers = await Promise.all(
            others.map((each) => region(canvas, each.mask, window.instantstyleColour(each.number))),
        );
        if (state.others !== key) return;
        canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
        for (const layer of layers) draw(canvas, layer);
    }

    function drawChips(pad, references, chosen) {
        const chips = pad.querySelector("[data-chips]");
        while (chips.children.length > references.length) chips.lastElementChild.remove();
        while (chips.children.length < references.length) {
            chips.append(pad.querySelector("template").content.cloneNode(true));
        }
        references.forEach(({number, picture}, index) => {
            const chip = chips.children[index];
            const [name, image] = [chip.querySelector("b"), chip.querySelector("img")];
            if (name.textContent !== String(number)) name.textContent = String(number);
            if (image.src !== picture) image.src = picture;
            image.hidden = !picture;
            chip.style.setProperty("--instantstyle-colour", window.instantstyleColour(number));
            chip.setAttribute("aria-checked", String(number === chosen));
        });
    }

    function drawBackground(pad) {
        const isOver = pad.querySelector("[data-over]").checked;
        const gallery = isOver && root().querySelector(`#${pad.dataset.tab}_gallery`);
        const result = gallery && (gallery.querySelector('img[data-testid="detailed-image"]') ?? gallery.querySelector("img"));
        const background = result ? `url("${result.src}")` : "";
        pad.querySelector("[data-no-result]").hidden = !isOver || Boolean(result);
        const paper = paperOf(pad);
        if (paper.dataset.shown !== background) paper.style.backgroundImage = paper.dataset.shown = background;
    }

    // --- strokes

    function pointOf(canvas, event) {
        const box = canvas.getBoundingClientRect();
        return [(event.clientX - box.left) * (canvas.width / box.width), (event.clientY - box.top) * (canvas.height / box.height)];
    }

    // The whole stroke is drawn anew at each move: in parts its soft edges would add up. They are its shadow, which is
    // all that falls on the canvas.
    function drawStroke(pad, {stroke, before, number}) {
        const canvas = ownOf(pad);
        draw(canvas, before.at(-1), "copy");
        const context = canvas.getContext("2d");
        const [share, soft] = ["[data-brush]", "[data-soft]"].map((name) => Number(pad.querySelector(name).value) / 100);
        const size = share * Math.min(canvas.width, canvas.height);
        const away = soft ? 2 * canvas.width : 0;
        context.save();
        if (pad.querySelector("[data-eraser]").checked) context.globalCompositeOperation = "destination-out";
        context.strokeStyle = window.instantstyleColour(number);
        if (soft) Object.assign(context, {shadowColor: context.strokeStyle, shadowBlur: (soft * size) / 3, shadowOffsetX: away});
        context.lineWidth = size * (1 - soft / 2); // the middle of a soft line stays nearly whole
        context.lineCap = context.lineJoin = "round";
        context.translate(-away, 0);
        context.beginPath();
        context.moveTo(...stroke[0]);
        for (const point of stroke) context.lineTo(...point);
        context.stroke();
        context.restore();
    }

    function remember(pad, state) {
        state.before = [...state.before, copyOf(ownOf(pad))].slice(-MOST_UNDONE);
    }

    function onPointerDown(event) {
        const pad = padAt(event);
        if (!pad || event.target !== ownOf(pad) || event.button !== 0) return;
        event.preventDefault();
        const state = stateOf(pad);
        if (state.own === null || state.stroke) return; // its mask is still to be drawn
        event.target.setPointerCapture(event.pointerId);
        remember(pad, state);
        state.stroke = [pointOf(event.target, event)];
        drawStroke(pad, state);
    }

    function onPointerMove(event) {
        const pad = padAt(event);
        const state = pad && stateOf(pad);
        if (!state?.stroke) return;
        const passed = event.getCoalescedEvents?.() ?? [];
        for (const each of passed.length ? passed : [event]) state.stroke.push(pointOf(ownOf(pad), each));
        drawStroke(pad, state);
    }

    function onPointerUp(event) {
        const pad = padAt(event);
        if (!pad || !stateOf(pad).stroke) return;
        stateOf(pad).stroke = null;
        commit(pad);
    }

    // --- buttons

    const ACTIONS = {
        undo: (pad, state) => draw(ownOf(pad), state.before.pop(), "copy"),
        clear: (pad) => draw(ownOf(pad), sheet(ownOf(pad)), "copy"),
        invert: (pad, {number}) => {
            const rest = draw(filled(sheet(ownOf(pad)), window.instantstyleColour(number)), ownOf(pad), "destination-out");
            draw(ownOf(pad), rest, "copy");
        },
        rest: (pad, {number}) => {
            const rest = filled(sheet(ownOf(pad)), window.instantstyleColour(number));
            draw(ownOf(pad), draw(rest, othersOf(pad), "destination-out"));
        },
    };

    function onClick(event) {
        const pad = padAt(event);
        const button = pad && event.target.closest("button");
        if (!button) return;
        const state = stateOf(pad);
        if (button.getAttribute("role") === "radio") {
            choose(state, Number(button.querySelector("b").textContent));
            ownOf(pad).getContext("2d").clearRect(0, 0, ownOf(pad).width, ownOf(pad).height);
            return look(pad);
        }
        const action = button.dataset.do;
        if (state.own === null || (action === "undo" && !state.before.length)) return;
        if (action !== "undo") remember(pad, state);
        ACTIONS[action](pad, state);
        commit(pad);
    }

    // The server opens it: it knows more formats, or says what is wrong with it.
    function onChange(event) {
        const pad = padAt(event);
        if (!pad || event.target.type !== "file" || !event.target.files.length) return;
        const reader = new FileReader();
        reader.onload = () => {
            remember(pad, stateOf(pad));
            commit(pad, reader.result);
        };
        reader.readAsDataURL(event.target.files[0]);
        event.target.value = ""; // the same file may be chosen again
    }

    // --- to the server: one at a time, since the page sends all other masks along

    function commit(pad, picture = maskOf(ownOf(pad))) {
        const state = stateOf(pad);
        state.edits.set(state.number, picture);
        if (!state.sent) send(pad, state);
    }

    function send(pad, state) {
        const [number, picture] = state.edits.entries().next().value;
        state.edits.delete(number);
        state.sent = [String(number), picture, ...sizeIn(pad.dataset.tab)];
        partOf(pad, "region_apply").click();
    }

    function goOn(pad) {
        const state = stateOf(pad);
        const button = state.waiting;
        Object.assign(state, {sent: null, own: state.own === null ? null : UNKNOWN});
        if (state.edits.size) return send(pad, state);
        state.waiting = null;
        button?.click();
    }

    // Generate waits for what was painted just now.
    function onGenerate(event) {
        const button = event.target instanceof Element ? event.target.closest("#txt2img_generate, #img2img_generate") : null;
        const pad = button && padIn(button.id.split("_")[0]);
        if (!pad || !stateOf(pad).sent) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        stateOf(pad).waiting = button;
    }

    setInterval(() => root().querySelectorAll(PADS).forEach(look), LOOK_MS);
    document.addEventListener("change", onChange);
    document.addEventListener("pointerdown", onPointerDown);
    document.addEventListener("pointermove", onPointerMove);
    document.addEventListener("pointerup", onPointerUp);
    document.addEventListener("pointercancel", onPointerUp);
    document.addEventListener("click", onClick);
    document.addEventListener("click", onGenerate, true);

    // Turns to the tab Regions, where a reference is chosen.
    window.instantstyleShowRegion = (tab, number) => {
        const pad = padIn(tab);
        const page = pad.closest(".tabitem");
        const pages = [...page.parentElement.children].filter((each) => each.matches(".tabitem"));
        page.parentElement.querySelectorAll(".tab-nav button")[pages.indexOf(page)].click();
        choose(stateOf(pad), number);
    };

    // [number, picture, width, height] of the region that is on its way; no picture removes its mask.
    window.instantstyleRegion = (tab) => stateOf(padIn(tab)).sent;

    // The server has answered, or said what is wrong: what it has is drawn anew.
    window.instantstyleRegionSet = (tab) => {
        setTimeout(() => goOn(padIn(tab)), DRAWN_MS);
        return [];
    };
})();

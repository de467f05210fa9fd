// One row for each reference: its picture, number, weight, region mask and a button that removes it. Rows are drawn from
// what the boxes and galleries of the accordion show, whoever filled them; weights go into their text field, and what is
// removed goes to the server. The globals are instantstyleReferences, instantstyleColour, instantstyleIsRemoved and
// instantstyleRemoved; the first two are for the canvas, the others for gradio's js.

(() => {
    "use strict";

    const LOOK_MS = 300; // between looks at what the accordion holds
    const MAX = 8; // references
    const COLOURS = ["#f97316", "#3b82f6", "#22c55e", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#78716c"];
    const ROWS = ".instantstyle-rows";

    let count = 0; // makes equal edits differ
    let edited = null; // the row whose weight is being changed

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const part = (tab, name) => root().querySelector(`#script_${tab}_instantstyle_${name}`);
    const inputOf = (tab, name) => part(tab, name)?.querySelector("textarea, input");
    const valueOf = (tab, name) => inputOf(tab, name)?.value ?? "";
    const picturesIn = (tab, name) => [...(part(tab, name)?.querySelectorAll("img") ?? [])];
    const rowAt = (event) => (event.target instanceof Element ? event.target.closest(".instantstyle-reference") : null);
    const tabOf = (row) => row.closest(ROWS).dataset.tab;

    function write(tab, name, text) {
        const box = inputOf(tab, name);
        box.value = text;
        if (typeof updateInput === "function") updateInput(box);
        else box.dispatchEvent(new Event("input", {bubbles: true}));
    }

    // --- what there is

    // Masks by number: the gallery's captions have it, and the alternative text keeps the caption untranslated.
    function masksOf(tab) {
        const named = picturesIn(tab, "masks").map((mask) => [Number(/[1-8]$/.exec(mask.alt)), mask.src]);
        return new Map(named.filter(([number]) => number));
    }

    function weightsOf(tab) {
        const texts = valueOf(tab, "weights").replace(/[[\]]/g, "").split(",");
        return texts.map((text) => (text.trim() && Number(text) >= 0 ? Number(text) : 1));
    }

    // Each reference, in order: {number, picture, mask, weight}. A saved style and pasted parameters have references
    // without pictures. A mask that was left without a reference is listed too, so that it can be removed.
    function referencesOf(tab) {
        const shown = [...picturesIn(tab, "image").slice(0, 1), ...picturesIn(tab, "images")].map((image) => image.src);
        const unseen = valueOf(tab, "style") || !shown.length;
        const pictures = unseen ? Array(Number(valueOf(tab, "unseen"))).fill("") : shown;
        const [masks, weights] = [masksOf(tab), weightsOf(tab)];
        const length = Math.min(Math.max(pictures.length, 0, ...masks.keys()), MAX);
        return Array.from({length}, (_, index) => ({
            number: index + 1,
            picture: pictures[index] ?? "",
            mask: masks.get(index + 1) ?? "",
            weight: weights[index] ?? 1,
            isThere: index < pictures.length,
        }));
    }

    // --- rows

    function draw(rows) {
        const references = referencesOf(rows.dataset.tab);
        const template = rows.querySelector("template");
        const drawn = rows.getElementsByClassName("instantstyle-reference");
        while (drawn.length > references.length) drawn[drawn.length - 1].remove();
        while (drawn.length < references.length) rows.append(template.content.cloneNode(true));
        const some = references.length > 1 || references.some((each) => each.mask);
        references.forEach((reference, index) => fill(drawn[index], reference, some));
    }

    function fill(row, {number, picture, mask, weight, isThere}, isWeighed) {
        const of = (selector) => row.querySelector(selector);
        set(of("b"), "textContent", String(number));
        row.style.setProperty("--instantstyle-colour", COLOURS[number - 1]);
        show(of("[data-picture]"), picture);
        show(of("[data-mask] img"), mask);
        set(of("[data-mask] span"), "hidden", Boolean(mask));
        set(of("label"), "hidden", !isWeighed || !isThere);
        set(of("[data-remove]"), "hidden", !picture);
        if (row === edited) return;
        row.querySelectorAll("input").forEach((input) => set(input, "value", String(weight)));
    }

    function set(element, name, value) {
        if (element[name] !== value) element[name] = value;
    }

    function show(image, source) {
        set(image, "hidden", !source);
        if (source && image.src !== source) image.src = source;
    }

    function onInput(event) {
        const row = rowAt(event);
        if (!row || event.target.value === "") return;
        edited = row;
        for (const input of row.querySelectorAll("input")) {
            if (input !== event.target) input.value = event.target.value;
        }
    }

    function onChange(event) {
        const row = rowAt(event);
        edited = null;
        if (!row) return;
        const rows = [...row.parentElement.querySelectorAll(".instantstyle-reference")];
        write(tabOf(row), "weights", rows.map((each) => String(Number(each.querySelector("input").value))).join(", "));
    }

    function onClick(event) {
        const row = rowAt(event);
        const button = row && event.target.closest("button");
        if (!button) return;
        const number = Number(row.querySelector("b").textContent);
        if ("mask" in button.dataset) return window.instantstyleShowRegion(tabOf(row), number);
        lock(tabOf(row), true); // the answer renumbers them
        write(tabOf(row), "reference_remove", `${number}#${++count}`);
    }

    function lock(tab, isLocked) {
        part(tab, "rows").querySelectorAll("[data-remove]").forEach((button) => (button.disabled = isLocked));
    }

    function look() {
        for (const rows of root().querySelectorAll(ROWS)) {
            if (rows.parentElement.offsetParent) draw(rows); // without rows it is hidden itself
        }
    }

    setInterval(look, LOOK_MS);
    document.addEventListener("input", onInput);
    document.addEventListener("change", onChange);
    document.addEventListener("click", onClick);

    window.instantstyleReferences = referencesOf;
    window.instantstyleColour = (number) => COLOURS[number - 1];
    window.instantstyleRemoved = (tab) => {
        lock(tab, false);
        return [];
    };

    // Whether the box of the first reference was emptied for good; "" while another picture takes the place.
    window.instantstyleIsRemoved = (tab) => {
        const box = part(tab, "image").querySelector("[data-testid=image]");
        const isReplaced = Boolean(box?.dataset.replaced);
        delete box?.dataset.replaced;
        return isReplaced ? "" : "1";
    };
})();

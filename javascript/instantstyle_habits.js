// Habits of the accordion: pictures come by clipboard, by dropping them anywhere on it, from the last result or from
// elsewhere on the page, and a download is followed while somebody looks. Listeners stand on the document. The globals
// are instantstyleLastResult, instantstyleSend and instantstyleRefused, for gradio's js.

(() => {
    "use strict";

    const TICK_MS = 1000; // between looks at what the page shows
    const DRAWN_MS = 50; // until the page shows what an event brought
    const TABS = ["txt2img", "img2img"];
    const PICTURE_NAMES = /\.(avif|bmp|gif|hei[cf]|jpe?g|jxl|png|tiff?|webp)$/i; // browsers do not know every type
    const BOX = '[data-testid="image"], .instantstyle-canvas';

    let refused = ""; // the name of what was dropped and not taken

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const byId = (id) => root().querySelector(`#${CSS.escape(id)}`);
    const idOf = (tab, name) => `script_${tab}_instantstyle_${name}`;
    const drawn = () => new Promise((resolve) => setTimeout(resolve, DRAWN_MS));
    const accordions = () => TABS.map((tab) => byId(idOf(tab, "enabled"))).filter(Boolean);
    const accordionAt = (target) => accordions().find((accordion) => accordion.contains(target));

    // --- a download is followed while somebody looks

    function follow(shown) {
        if (shown.offsetParent) byId(shown.dataset.poll)?.click();
    }

    // --- an error that stopped a job is shown where somebody looks, and in its own words, which some WebUIs lose

    const told = new Map(); // tab -> the error that was told last

    function tellWhy(tab) {
        const error = byId(`html_log_${tab}`)?.querySelector(".error") ?? null;
        if (error === (told.get(tab) ?? null)) return;
        told.set(tab, error);
        if (error) byId(idOf(tab, "problem"))?.click();
        else window.instantstylePress(idOf(tab, "look")); // the line says no longer what the next job has got over
    }

    function tick() {
        TABS.forEach(tellWhy);
        root().querySelectorAll(".instantstyle-fetching").forEach(follow);
    }

    // --- pictures into a box

    async function put(box, file) {
        const [remove, clear] = ["Remove Image", "Clear"].map((label) => box.querySelector(`button[aria-label="${label}"]`));
        const empty = remove ?? clear; // where strokes can be cleared, that would leave the picture
        if (empty) box.dataset.replaced = "yes"; // weight and mask stay
        empty?.click();
        await drawn();
        const input = box.querySelector("input[type=file]");
        if (!input) return;
        const files = new DataTransfer();
        files.items.add(file);
        input.files = files.files;
        input.dispatchEvent(new Event("change", {bubbles: true}));
    }

    async function fetched(address) {
        const content = await (await fetch(address)).blob();
        return new File([content], "picture", {type: content.type});
    }

    function open(accordion) {
        const ticked = byId(`${accordion.id}-visible-checkbox`)?.checked;
        if (!ticked) accordion.querySelector(".label-wrap").click();
    }

    function referenceBox(accordion) {
        return byId(accordion.id.replace(/enabled$/, "image"))?.querySelector(BOX);
    }

    // Whether it opens, and why not, the server says.
    const isPicture = (file) => file.type.startsWith("image/") || PICTURE_NAMES.test(file.name);
    const pictureIn = (files) => [...(files ?? [])].find(isPicture);

    // The host pastes into the first free box of the page; ours comes first where the pointer or the focus is.
    function onPaste(event) {
        const accordion = accordions().find((each) => each.matches(":hover, :focus-within"));
        const file = pictureIn(event.clipboardData?.files);
        if (!accordion || !file) return;
        event.preventDefault();
        event.stopPropagation();
        const hovered = [...accordion.querySelectorAll(BOX)].find((box) => box.matches(":hover"));
        open(accordion);
        put(hovered ?? referenceBox(accordion), file);
    }

    // Files, and pictures and links of pages. Text fields keep their own way with what is no file.
    function landing(event) {
        const carries = (type) => [...event.dataTransfer.types].includes(type);
        const target = event.target instanceof Element ? event.target : null;
        if (!target || !(carries("Files") || carries("text/uri-list"))) return null;
        if (!carries("Files") && target.closest("textarea, input")) return null;
        return accordionAt(target) ?? null;
    }

    function onDragOver(event) {
        if (!landing(event)) return;
        event.preventDefault();
        event.stopPropagation();
        event.dataTransfer.dropEffect = "copy";
    }

    // Whatever it is, the browser must not open it in place of the page. A box takes it, or else the reference.
    async function onDrop(event) {
        const accordion = landing(event);
        if (!accordion) return;
        event.preventDefault();
        event.stopPropagation();
        const {files} = event.dataTransfer;
        const address = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
        const box = event.target.closest(BOX) ?? referenceBox(accordion);
        const picture = pictureIn(files) ?? (await ownPicture(address));
        if (!picture) return refuse(accordion, files[0]?.name ?? address);
        open(accordion);
        put(box, picture);
    }

    // Pictures of this page, by their address or whole, as gradio's boxes hold them; nothing from elsewhere.
    async function ownPicture(address) {
        if (!address.startsWith(`${location.origin}/`) && !address.startsWith("data:image/")) return null;
        const file = await fetched(address).catch(() => null);
        return file && isPicture(file) ? file : null;
    }

    function refuse(accordion, name) {
        refused = name;
        byId(accordion.id.replace(/enabled$/, "drop_refused"))?.click();
    }

    // --- pictures from earlier: the × writes which one goes

    let removals = 0; // makes equal ones differ

    function onRemove(event) {
        const button = event.target instanceof Element && event.target.closest(".instantstyle-earlier button");
        const box = button && byId(button.dataset.target)?.querySelector("textarea, input");
        if (!box) return;
        box.value = `${button.dataset.name}#${++removals}`;
        if (typeof updateInput === "function") updateInput(box);
        else box.dispatchEvent(new Event("input", {bubbles: true}));
    }

    setInterval(tick, TICK_MS);
    document.addEventListener("click", onRemove);
    document.addEventListener("paste", onPaste, true);
    document.addEventListener("dragover", onDragOver, true);
    document.addEventListener("drop", onDrop, true);

    window.instantstyleRefused = () => refused;

    // Puts the picture that a gallery or box shows, or its first, into the reference; "" if there is none.
    async function take(tab, place) {
        const picture = place?.querySelector('img[data-testid="detailed-image"]') ?? place?.querySelector("img");
        if (picture) await put(referenceBox(byId(idOf(tab, "enabled"))), await fetched(picture.src));
        return picture ? "found" : "";
    }

    window.instantstyleLastResult = (tab) => take(tab, byId(`${tab}_gallery`));

    // The same from elsewhere on the page, so that the accordion is opened and shown.
    window.instantstyleSend = async (tab, source) => {
        const [place, accordion] = [byId(source), byId(idOf(tab, "enabled"))];
        const sent = accordion ? await take(tab, place) : "";
        if (!sent) return "";
        if (!byId(`tab_${tab}`)?.contains(place)) window[`switch_to_${tab}`]?.();
        open(accordion);
        accordion.scrollIntoView({block: "nearest"});
        return sent;
    };
})();

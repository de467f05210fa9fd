// The helpers that the real host gives to extensions' scripts, and the few functions this page needs.

const uiLoadedCallbacks = [];
const uiUpdateCallbacks = [];
const uiAfterUpdateCallbacks = [];
const uiTabChangeCallbacks = [];
const optionsChangedCallbacks = [];
const optionsAvailableCallbacks = [];
let opts = {};
let uiIsLoaded = false;

function gradioApp() {
    const app = document.getElementsByTagName('gradio-app')[0];
    if (!app) return document;
    return app.shadowRoot || app;
}

function onUiLoaded(callback) { uiLoadedCallbacks.push(callback); }
function onUiUpdate(callback) { uiUpdateCallbacks.push(callback); }
function onAfterUiUpdate(callback) { uiAfterUpdateCallbacks.push(callback); }
function onUiTabChange(callback) { uiTabChangeCallbacks.push(callback); }
function onOptionsChanged(callback) { optionsChangedCallbacks.push(callback); }
function onOptionsAvailable(callback) { optionsAvailableCallbacks.push(callback); }

function callAll(callbacks, argument) {
    for (const callback of callbacks) {
        try {
            callback(argument);
        } catch (error) {
            console.error('callback failed', callback, error);
        }
    }
}

function updateInput(target) {
    target.dispatchEvent(new Event('input', {bubbles: true}));
}

// --- accordions that are values: a hidden checkbox, an accordion, and a visible checkbox in its header

function inputAccordionChecked(id, checked) {
    const visible = document.getElementById(`${id}-visible-checkbox`);
    const header = document.querySelector(`#${id} > .label-wrap`);
    if (visible) visible.checked = checked;
    if (header && header.classList.contains('open') !== checked) header.click();
}

function setUpInputAccordion(accordion) {
    const header = accordion.querySelector('.label-wrap');
    const hidden = document.querySelector(`#${accordion.id}-checkbox input`);
    if (!header || !hidden || document.getElementById(`${accordion.id}-visible-checkbox`)) return;
    const visible = document.createElement('input');
    visible.type = 'checkbox';
    visible.id = `${accordion.id}-visible-checkbox`;
    visible.className = 'input-accordion-checkbox';
    visible.checked = header.classList.contains('open');
    const follow = () => {
        const open = header.classList.contains('open');
        visible.checked = open;
        if (hidden.checked !== open) hidden.click();
    };
    new MutationObserver(follow).observe(header, {attributes: true, attributeFilter: ['class']});
    visible.addEventListener('click', (event) => {
        event.stopPropagation();
        if (hidden.checked !== visible.checked) hidden.click();
        inputAccordionChecked(accordion.id, visible.checked);
    });
    header.insertBefore(visible, header.firstChild);
    const extra = document.getElementById(`${accordion.id}-extra`);
    if (extra) header.insertBefore(extra, header.lastChild);
}

// --- galleries and settings

function selected_gallery_index() {
    const gallery = [...document.querySelectorAll('[id$="_gallery"]')].find((e) => e.offsetParent !== null);
    const buttons = gallery ? [...gallery.querySelectorAll('.thumbnails > .thumbnail-item')] : [];
    return buttons.findIndex((button) => button.classList.contains('selected'));
}

function extract_image_from_gallery(gallery) {
    const index = selected_gallery_index();
    return [gallery.length ? gallery[index in gallery ? index : 0] : null];
}

function switchToTab(name) {
    return function() {
        const labels = {txt2img: 0, img2img: 1};
        document.querySelectorAll('#tabs > .tab-nav button')[labels[name]].click();
        return Array.from(arguments);
    };
}

window.switch_to_txt2img = switchToTab('txt2img'); // the host's are functions, which are the window's too
window.switch_to_img2img = switchToTab('img2img');

// --- cards of extra networks

const activePromptTextarea = {};

function promptTextarea(tab, name) { return document.querySelector(`#${tab}_${name} > label > textarea`); }

function removeFromPrompt(textarea, text) {
    const separator = opts.extra_networks_add_text_separator;
    const tag = text.match(/<([^:^>]+:[^:]+):[\d.]+>(.*)/);
    const before = textarea.value;
    if (tag) {  // the same network, whatever its weight
        textarea.value = before.replaceAll(/(\s?)<([^:^>]+:[^:]+):[\d.]+>/g, (found, space, net) => {
            return net === tag[1] ? (space === separator ? '' : space) : found;
        });
    } else {  // as in the host, the text is a pattern
        textarea.value = before.replaceAll(new RegExp(`((?:${separator})?${text})`, 'g'), '');
    }
    return textarea.value !== before;
}

function cardClicked(tab, text, negativeText, allowNegative) {
    const add = (textarea, added) => {
        if (!removeFromPrompt(textarea, added)) textarea.value += opts.extra_networks_add_text_separator + added;
        updateInput(textarea);
    };
    const chosen = allowNegative && !negativeText.length ? activePromptTextarea[tab] : null;
    add(chosen || promptTextarea(tab, 'prompt'), text);
    if (negativeText.length) add(promptTextarea(tab, 'neg_prompt'), negativeText);
}

function extraNetworksShowControls(tab, page) {
    for (const controls of document.querySelectorAll(`#${tab}_extra_tabs .extra-networks-controls-div > div`)) {
        controls.style.display = controls.id === `${page}_controls` ? '' : 'none';
    }
}

function extraNetworksControlRefreshOnClick(event, tab, page) {
    document.getElementById(`${tab}_${page}_extra_refresh_internal`).click();
}

function applyExtraNetworkFilter(page) {
    const term = document.getElementById(`${page}_extra_search`).value.toLowerCase();
    for (const card of document.querySelectorAll(`#${page}_cards .card`)) {
        const texts = [...card.querySelectorAll('.search_terms, .description')].map((e) => e.textContent.toLowerCase());
        const tooShort = card.querySelector('.search_only') && term.length < 4;
        card.classList.toggle('hidden', Boolean(tooShort) || !texts.join(' ').includes(term));
    }
}

function setUpExtraNetworks(tab) {
    const holder = document.createElement('div');
    holder.className = 'extra-networks-controls-div';
    document.querySelector(`#${tab}_extra_tabs > .tab-nav`).appendChild(holder);
    for (const controls of document.querySelectorAll(`#${tab}_extra_tabs .extra-network-control`)) {
        const page = controls.id.replace(/_controls$/, '');
        controls.querySelector('input').addEventListener('input', () => applyExtraNetworkFilter(page));
        holder.appendChild(controls);
    }
    for (const name of ['prompt', 'neg_prompt']) {
        const textarea = promptTextarea(tab, name);
        activePromptTextarea[tab] ||= textarea;
        textarea.addEventListener('focus', () => { activePromptTextarea[tab] = textarea; });
    }
}

onUiLoaded(() => ['txt2img', 'img2img'].forEach(setUpExtraNetworks));

function restartReload() {
    const wait = () => fetch('./internal/ping').then(() => location.reload()).catch(() => setTimeout(wait, 500));
    setTimeout(wait, 2500);
    return [];
}

async function readOptions() {
    const response = await fetch('./sdapi/v1/options');
    if (!response.ok) return;
    opts = await response.json();
    callAll(optionsAvailableCallbacks);
    callAll(optionsChangedCallbacks);
}

document.addEventListener('DOMContentLoaded', () => {
    let timer = null;
    new MutationObserver((mutations) => {
        for (const accordion of document.querySelectorAll('.input-accordion')) setUpInputAccordion(accordion);
        if (!uiIsLoaded && gradioApp().querySelector('#txt2img_prompt')) {
            uiIsLoaded = true;
            callAll(uiLoadedCallbacks);
            readOptions();
        }
        callAll(uiUpdateCallbacks, mutations);
        clearTimeout(timer);
        timer = setTimeout(() => callAll(uiAfterUpdateCallbacks), 200);
    }).observe(document.body, {childList: true, subtree: true});
    document.body.addEventListener('click', (event) => {
        if (event.target.closest('#tabs > .tab-nav button')) callAll(uiTabChangeCallbacks);
    });
});

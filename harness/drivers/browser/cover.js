// Hides what shows a picture in a document or a shadow root: by a sheet, and one by one where a page's own rules win.
(root, css) => {
  const PICTURE = /url\(|image-set\(|cross-fade\(|element\(|paint\(/i;
  const PROPERTIES = {
    "background-image": "none",
    "border-image-source": "none",
    "list-style-image": "none",
    "mask-image": "none",
    "-webkit-mask-box-image-source": "none",
    "filter": "none",
    "content": "normal",
  };
  const PSEUDO = ["before", "after", "marker", "backdrop", "first-letter", "first-line", "placeholder", "file-selector-button"];

  const shown = (element, pseudo) => {
    const style = getComputedStyle(element, pseudo && `::${pseudo}`);
    return Object.keys(PROPERTIES).filter((name) => PICTURE.test(style.getPropertyValue(name)));
  };
  const hide = (element, name, value) => element.style?.setProperty(name, value, "important");
  const cover = (element) => {
    for (const name of shown(element)) hide(element, name, PROPERTIES[name]);
    if (PSEUDO.some((pseudo) => shown(element, pseudo).length)) element.setAttribute("harness-covered", "");
    if (PSEUDO.some((pseudo) => shown(element, pseudo).length)) hide(element, "display", "none");
    // What stands in another file has no style of this page.
    const from = element.localName === "use" && (element.getAttribute("href") ?? element.getAttribute("xlink:href"));
    if (from && !from.startsWith("#")) hide(element, "display", "none");
  };
  const visit = (place) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
    for (const element of place.querySelectorAll("*")) {
      cover(element);
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(root);
}

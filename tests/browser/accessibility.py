"""Whether everybody can read a page: each question answers with what is in the way, in a line each."""

from __future__ import annotations

from typing import Any

from tests.browser.tab import Tab

_GRAVE = ("serious", "critical")

_MARK_STOPS = """() => {
  const scrolls = (style, inner, outer) => /auto|scroll/.test(style) && inner > outer + 1;
  const isStop = (element) => {
    const style = getComputedStyle(element);
    return element.matches('a[href], button, summary, input, select, textarea, [tabindex="0"]')
      || scrolls(style.overflowX, element.scrollWidth, element.clientWidth)
      || scrolls(style.overflowY, element.scrollHeight, element.clientHeight);
  };
  const isSeen = (style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
    && !/rgba\\(.*, 0\\)/.test(style.outlineColor);
  window.stops = [...document.body.querySelectorAll('*')].filter((each) => each.checkVisibility() && isStop(each));
  window.reached = new Map();
  addEventListener('focus', ({target}) => {
    if (!(target instanceof Element)) return;
    const {width, height} = target.getBoundingClientRect();
    window.reached.set(target, isSeen(getComputedStyle(target)) && width > 1 && height > 1);
  }, true);
  return window.stops.length;
}"""

_MISSED_STOPS = """() => {
  const named = (element) => element.outerHTML.slice(0, 160);
  const isReached = (element) => [...window.reached.keys()].some((each) => element.contains(each));
  const unseen = [...window.reached].filter(([, seen]) => !seen);
  return [...window.stops.filter((each) => !isReached(each)).map((each) => `not reached: ${named(each)}`),
          ...unseen.map(([each]) => `focus not shown: ${named(each)}`)];
}"""

_OVERFLOW = """() => {
  const isScrolled = (element) => {
    for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };
  const page = document.scrollingElement.scrollWidth;
  const sticksOut = (element) => {
    const {width, right} = element.getBoundingClientRect();
    return width > 1 && right > innerWidth + 1 && element.checkVisibility() && !isScrolled(element);
  };
  const wide = [...document.body.querySelectorAll('*')].filter(sticksOut).slice(0, 5);
  return [...(page > innerWidth ? [`the page is ${page} wide in a window of ${innerWidth}`] : []),
          ...wide.map((each) => `sticks out: ${each.outerHTML.slice(0, 160)}`)];
}"""

_TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const isControl = parent.closest('script, style, nav, button, label, select, .skip') !== null;
    const text = walker.currentNode.textContent.trim();
    if (text && !isControl) texts.push([text, parent.checkVisibility({opacityProperty: true, visibilityProperty: true})]);
  }
  return texts;
}"""

_CUT = """() => {
  const isCut = (element) => {
    const style = getComputedStyle(element);
    const within = (overflow, inner, outer) => overflow !== 'visible' && outer > 1 && inner > outer + 1;
    return within(style.overflowX, element.scrollWidth, element.clientWidth)
      || within(style.overflowY, element.scrollHeight, element.clientHeight);
  };
  const cut = [...document.body.querySelectorAll('*')].filter((each) => each.checkVisibility() && isCut(each));
  return cut.slice(0, 5).map((each) => `cut in print: ${each.outerHTML.slice(0, 160)}`);
}"""

_BRIGHTNESS = """(name) => {
  const [red, green, blue] = getComputedStyle(document.body)[name].match(/[0-9.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""


def barriers(tab: Tab, *rules: str) -> list[str]:
    """The serious and critical faults that axe-core finds in what is unfolded; of all rules, unless some are named."""
    from axe_playwright_python.sync_playwright import Axe

    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}  # it would fetch the style sheet anew
    if rules:
        options["runOnly"] = list(rules)
    found = Axe().run(tab.unfold().page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"][:3]
        if rule["impact"] in _GRAVE
    ]


def unreachable(tab: Tab) -> list[str]:
    """What the Tab key does not come by, or comes by without showing it: links, buttons, folds, fields, scrolled regions."""
    for _ in range(tab.unfold().page.evaluate(_MARK_STOPS) + 1):
        tab.page.keyboard.press("Tab")
    return list(tab.page.evaluate(_MISSED_STOPS))


def overflow(tab: Tab) -> list[str]:
    """What makes a reader scroll sideways, regions apart that scroll by themselves."""
    return list(tab.unfold().page.evaluate(_OVERFLOW))


def lost_in_print(tab: Tab) -> list[str]:
    """What can be read on the screen and not on paper, folded or cut, though nobody clicks there; controls apart."""
    tab.page.emulate_media(media="screen")
    on_screen = tab.unfold().page.evaluate(_TEXTS)
    tab.fold().page.emulate_media(media="print")
    on_paper = tab.page.evaluate(_TEXTS)
    hidden = [text for (text, seen), (_, kept) in zip(on_screen, on_paper, strict=True) if seen and not kept]
    return [*(f"hidden in print: {text[:80]}" for text in hidden[:5]), *tab.page.evaluate(_CUT)]


def faint(tab: Tab) -> list[str]:
    """Text that does not stand out enough from its ground."""
    return barriers(tab, "color-contrast")


def brightness(tab: Tab) -> tuple[float, float]:
    """How bright the page's ground and its text are, from 0 to 1."""
    ground, text = (tab.page.evaluate(_BRIGHTNESS, name) for name in ("backgroundColor", "color"))
    return ground, text

"use strict";
for (const each of document.querySelectorAll("pre, .copied")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.onclick = async () => {
    getSelection().selectAllChildren(each);
    await navigator.clipboard.writeText(each.textContent).then(() => button.textContent = "Copied", () => button.textContent = "Selected");
    setTimeout(() => button.textContent = "Copy", 2000);
  };
  each.before(button);
}
onbeforeprint = () => document.querySelectorAll("details").forEach((each) => each.open = true);

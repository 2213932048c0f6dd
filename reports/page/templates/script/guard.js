"use strict";
// Says in a line that another script of the page failed, for a page without its scripts would look empty. Text and
// tables stay. A script of its own in old syntax (ES5), so that it runs where a browser cannot even read the others.

(function () {
  var said = false;

  function hideControls() {
    var elements = document.querySelectorAll(".js");
    for (var index = 0; index < elements.length; index += 1) elements[index].hidden = true;
  }

  function fail(cause) {
    // Browsers report with the same event that sizes changed while charts were watched; nothing failed then.
    if (said || /^ResizeObserver loop/.test(cause)) return;
    said = true;
    var ready = document.documentElement.hasAttribute("data-ready");
    if (!ready) hideControls();
    var what = ready ? "A part of this page failed" : "No charts, no filters and no table of cases";
    var message = document.createElement("p");
    message.className = "problems";
    message.setAttribute("role", "alert");
    message.textContent = what + ": " + cause.replace(/\s+/g, " ").slice(0, 300) + ".";
    var answer = document.getElementById("answer");
    answer.insertBefore(message, answer.firstChild);
  }

  window.addEventListener("error", function (event) {
    fail(String((event.error && event.error.message) || event.message || "a script failed"));
  });
  window.addEventListener("unhandledrejection", function (event) {
    fail(String((event.reason && event.reason.message) || event.reason));
  });
})();

"use strict";
// Draws the charts, filters, sorts, picks and copies. Loads nothing and sends nothing.

// Shows a message where the script fails, for a page without it would look empty. Text and tables stay.
function fail(error) {
  for (const element of document.querySelectorAll(".js")) element.hidden = true;
  const message = document.createElement("p");
  message.className = "problems";
  message.setAttribute("role", "alert");
  message.textContent = `No charts, no filters and no table of cases: ${error.message}.`;
  document.getElementById("answer").prepend(message);
}

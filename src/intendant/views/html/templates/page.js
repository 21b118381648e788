// Follows the state of the plan without loading the page anew; without it the page reloads by itself.
(() => {
  const find = () => document.getElementById("progress");
  const follow = async () => {
    try {
      const answer = await fetch("progress", { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      if (!fresh) throw new Error("nothing to show");
      if (fresh.innerHTML !== find().innerHTML) find().replaceChildren(...fresh.childNodes);
      find().dataset.live = fresh.dataset.live;
      const pill = document.querySelector(".pill");
      pill.textContent = fresh.dataset.word;
      pill.className = `pill ${fresh.dataset.class}`;
    } catch {
      const note = document.createElement("p");
      note.textContent = "This page has lost its connection: the program that served it has ended.";
      find().append(note);
      return;
    }
    if (find().dataset.live === "yes") setTimeout(follow, 1000);
  };
  if (find()?.dataset.live === "yes") setTimeout(follow, 1000);
})();

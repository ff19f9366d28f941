/**
 * Keeps the progress of a run up to date: asks for it, and puts it in place of what is shown.
 * Without it the page shows the same when it is loaded again.
 */
(() => {
  const shown = document.getElementById('rollcall-run');
  const spoken = document.getElementById('rollcall-run-spoken');
  if (shown === null || spoken === null || shown.dataset.works === undefined) return;

  const PAUSE_MS = 2000;
  /** The rate is that of this long. */
  const LOOKS = 10;
  const looks = [{ done: Number(shown.dataset.done), at: Date.now() }];

  const look = async () => {
    const address = new URL(shown.dataset.address);
    address.searchParams.set('from', looks[0].done);
    address.searchParams.set('ms', Date.now() - looks[0].at);
    const response = await fetch(address, { credentials: 'same-origin', cache: 'no-store' });
    const answer = await response.json();
    if (answer.success !== true) throw new Error('refused');
    const now = answer.data;
    shown.innerHTML = now.inside;
    if (spoken.textContent !== now.spoken) spoken.textContent = now.spoken;
    looks.push({ done: now.done, at: Date.now() });
    if (looks.length > LOOKS) looks.shift();
    return now.works;
  };

  const goOn = async () => {
    let works = true;
    try {
      works = await look();
    } catch {
      // The site is away, or the session has ended: the next look, or the person, finds out.
    }
    if (works) setTimeout(() => void goOn(), PAUSE_MS);
    // The buttons are other ones now.
    else window.location.reload();
  };
  setTimeout(() => void goOn(), PAUSE_MS);
})();

// Threads of WebAssembly need an isolated page. Where the server does not say so, a service worker does.

const TRIED = "isolation was tried";

/** Whether the page may go on. False: it is being loaded anew, through the service worker. */
export async function isolated() {
  if (crossOriginIsolated) {
    sessionStorage.removeItem(TRIED);
    return true;
  }
  // Not over plain http from another machine, nor in some private windows: then one thread has to do.
  if (!isSecureContext || !navigator.serviceWorker || sessionStorage.getItem(TRIED)) return true;
  sessionStorage.setItem(TRIED, "yes");
  try {
    const policy = document.querySelector("meta[http-equiv=Content-Security-Policy]").content;
    await navigator.serviceWorker.register(`service-worker.js?policy=${encodeURIComponent(policy)}`);
    await navigator.serviceWorker.ready;
  } catch {
    return true;
  }
  location.reload();
  return false;
}

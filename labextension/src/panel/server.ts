/**
 * Interrupts a kernel through the Jupyter server that the page came from, as the notebook's own button does.
 *
 * A busy kernel reads no messages of widgets, and ipykernel 7.4 sends even those for a subshell to the main shell once
 * the main thread has published on their comm, so a message cannot stop it. The server can, by a signal.
 */

interface Server {
  base: string;
  token: string;
}

/**
 * Returns what interrupts the kernel of an id (a UUID); null where the page is not one of a Jupyter server, or where the
 * server knows no such kernel.
 */
export async function interrupter(kernel: string): Promise<(() => Promise<void>) | null> {
  const server = found();
  if (!server || !/^[\w-]+$/.test(kernel)) {
    return null;
  }
  const address = `${server.base}api/kernels/${kernel}`;
  try {
    const answer = await fetch(address, options(server, 'GET'));
    if (!answer.ok) {
      return null;
    }
  } catch {
    return null;
  }
  return async () => {
    const answer = await fetch(`${address}/interrupt`, options(server, 'POST'));
    if (!answer.ok) {
      throw new Error(`the server answered ${answer.status}`);
    }
  };
}

/** Reads what the server wrote into the page for JupyterLab and Notebook. */
function found(): Server | null {
  const element = document.getElementById('jupyter-config-data');
  try {
    const config = JSON.parse(element?.textContent ?? 'null') as { baseUrl?: string; token?: string } | null;
    const base = new URL(config?.baseUrl ?? '', document.location.origin);
    // never to another origin: the token goes with it
    if (!config?.baseUrl || base.origin !== document.location.origin) {
      return null;
    }
    return { base: base.href.replace(/\/*$/, '/'), token: config.token ?? '' };
  } catch {
    return null;
  }
}

function options(server: Server, method: string): RequestInit {
  const headers: Record<string, string> = {};
  const xsrf = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie);
  if (xsrf) {
    headers['X-XSRFToken'] = xsrf[1];
  }
  if (server.token) {
    headers.Authorization = `token ${server.token}`;
  }
  return { method, headers, credentials: 'same-origin', cache: 'no-store' };
}

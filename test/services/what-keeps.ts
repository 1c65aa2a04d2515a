// Why a Node process does not end, asked through its debugger: for the message of a test that has waited in vain.
import type { ChildProcess } from 'node:child_process'

const ANSWER_MS = 10_000
const QUESTION = `JSON.stringify({
  resources: process.getActiveResourcesInfo(),
  stack: process.report.getReport().javascriptStack.stack,
  handles: process.report.getReport().libuv.filter((one) => one.is_active && one.is_referenced),
})`

/** Active resources, handles and the stack of a process whose standard error output is a pipe, or why they are unknown. */
export async function whatKeeps(child: ChildProcess): Promise<string> {
  const address = new Promise<string>((resolve) => {
    child.stderr?.on('data', (chunk) => {
      const found = /Debugger listening on (ws:\/\/\S+)/.exec(String(chunk))?.[1]
      if (found) resolve(found)
    })
  })
  // Node opens its debugger on this signal, on a thread of its own.
  child.kill('SIGUSR1')
  const late = new Promise<string>((resolve) => setTimeout(resolve, ANSWER_MS, 'its debugger does not answer').unref())
  return Promise.race([address.then(ask), late]).catch(String)
}

function ask(url: string): Promise<string> {
  const socket = new WebSocket(url)
  return new Promise((resolve, reject) => {
    const params = { expression: QUESTION, includeCommandLineAPI: true }
    socket.addEventListener('open', () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params })))
    socket.addEventListener('error', () => reject(new Error('its debugger refuses connections')))
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: { result?: { value?: string } } }
      if (id !== 1) return
      socket.close()
      resolve(result?.result?.value ?? String(data))
    })
  })
}

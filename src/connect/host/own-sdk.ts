import { registerHooks } from 'node:module'

const SDK = /^@millrace\/sdk(?:\/|$)/

let isShared = false

/**
 * Every plugin of this process gets the SDK that this process has, whatever lies in the plugin's node_modules: a package may bring
 * none, as it should, one of its own, or the stand-in of `millrace plugin add`.
 */
export function shareOwnSdk(): void {
  if (isShared) return
  isShared = true
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      SDK.test(specifier)
        ? nextResolve(specifier, { ...context, parentURL: import.meta.url })
        : nextResolve(specifier, context),
  })
}

// The entry in a checkout. It is JavaScript so that the compile cache is on before the first TypeScript file is read:
// from the second start on no types are stripped, which halves the time to start and saves 25 MB in every process.
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// The same folder as in base/real/compile-cache.ts, which cannot be imported yet.
enableCompileCache(join(homedir(), '.cache', 'millrace', 'compiled'))
await import('./main.ts')

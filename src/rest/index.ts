export { createRestApp, type RestOptions } from './app.ts'
export { type CorsSettings, type HeaderRule, HeaderRuleError, parseHeaderRules } from './headers.ts'
export { openRestServer, type RestServer } from './http-server.ts'
export { renderPrometheus } from './prometheus.ts'

/** Which pages of other origins may talk to the server. */
export interface CorsOptions {
  /** As browsers send them, `https://example.com`; `'*'` for all. */
  readonly origins: readonly string[] | '*'
}

/**
 * Whether a request may come from where it says it does. Programs name no origin; a page may always talk to its own host,
 * to others only where they say so. Checked by the server, as browsers don't ask before simple requests and WebSockets.
 */
export function isAllowedOrigin(
  origin: string | null | undefined,
  host: string | null | undefined,
  cors: CorsOptions | undefined,
): boolean {
  if (origin == null) return true
  if (cors && (cors.origins === '*' || cors.origins.includes(origin))) return true
  return URL.canParse(origin) && host != null && new URL(origin).host === host.toLowerCase()
}

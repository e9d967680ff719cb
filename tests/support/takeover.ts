/**
 * How long a change of leader may take in a test, in milliseconds. On a quiet machine it is well below a second (144 to
 * 674 ms were measured in Chromium); a busy one is not judged by its clock, but a leader that is missed for good is.
 */
export const TAKEOVER_MS = 10_000

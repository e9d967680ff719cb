import { findExecutable } from './executable.ts'

const names = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser']
const usual = ['/usr/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/** The path of a Chromium on this machine, or `undefined`. `CHROMIUM_PATH` wins, and throws where it names none. */
export function findChromium(): string | undefined {
  return findExecutable('CHROMIUM_PATH', usual, names)
}

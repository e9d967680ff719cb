import { type Context, createContext, useContext } from 'react'
import type { ErrorMessages } from './field-error.ts'

/** The texts that the nearest StoreProvider with `errorMessages` gives; of whichever context, as language has no schema. */
export const ErrorMessagesContext: Context<ErrorMessages | undefined> = /* @__PURE__ */ createContext<
  ErrorMessages | undefined
>(undefined)

/** The texts of the StoreProviders above. */
export function useErrorMessages(): ErrorMessages | undefined {
  return useContext(ErrorMessagesContext)
}

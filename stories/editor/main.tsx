import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Boot } from './app/boot.tsx'
import './app/style.css'
import './collaboration/collaboration.css'

const root = document.querySelector('#root')
if (!root) throw new Error('The page has no element with the id root.')
createRoot(root).render(
  <StrictMode>
    <Boot />
  </StrictMode>,
)

/** Light, dark or as the system: kept in the browser, written to <html data-theme>, told to canvases. */
import { useSyncExternalStore } from "react";

export type ThemeChoice = "light" | "dark" | "system";
export type Theme = "light" | "dark";

const STORAGE_KEY = "nascope.theme";
const listeners = new Set<() => void>();
const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

let choice: ThemeChoice = stored();

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // storage may be forbidden
  }
}

/** The theme on the screen now. */
export function currentTheme(): Theme {
  if (choice !== "system") return choice;
  return darkSystem.matches ? "dark" : "light";
}

function apply(): void {
  document.documentElement.dataset["theme"] = currentTheme();
  for (const listener of listeners) listener();
}

/** Called once before the first render. */
export function startTheme(): void {
  darkSystem.addEventListener("change", apply);
  apply();
}

/** Tells when the colours have changed (canvases read them again). Returns the function that stops listening. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function chooseTheme(next: ThemeChoice): void {
  choice = next;
  try {
    if (next === "system") localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // the choice then lasts until the page is closed
  }
  apply();
}

export function useTheme(): { choice: ThemeChoice; theme: Theme } {
  const now = useSyncExternalStore(onThemeChange, () => choice);
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  return { choice: now, theme };
}

/** The computed value of a theme variable, for example `themeColour("--accent")`. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

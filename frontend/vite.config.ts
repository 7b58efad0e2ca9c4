import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `manage.py up` (or `manage.py runserver`) listens while the front end is developed. */
const backend = process.env["NASCOPE_BACKEND"] ?? "http://127.0.0.1:8000";

export default defineConfig(({ command }) => ({
  // Django serves the build under /static/ui/; the development server serves the page itself at /.
  base: command === "build" ? "/static/ui/" : "/",
  plugins: [react()],
  build: {
    outDir: "../webapp/static/ui",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    // Fonts and pictures stay files: a data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": { target: backend, changeOrigin: false },
      "/ws": { target: backend, ws: true, changeOrigin: false },
      // The one-time link; the page at /login itself belongs to the browser application.
      "^/login/.+": { target: backend, changeOrigin: false },
    },
  },
  worker: { format: "es" },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    // Guards against hanging: no test may come near them, on no machine (CONTRIBUTING, "Limits of time").
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 120_000,
    // What each test took, for `make durations`.
    reporters: ["default", ["json", { outputFile: "node_modules/.vitest/durations.json" }]],
  },
}));

"""Events: append under the fence, project to rows, read after a number, follow live."""

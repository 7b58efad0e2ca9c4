"""Who may come in: sessions, login links, tokens; and the pages and headers that go with them."""

"""The web process: uvicorn, with bounds on what somebody may send before anybody knows who it is."""

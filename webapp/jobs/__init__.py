"""Jobs: claim, lease, fence, slices, reaper, worker, supervisor. The database holds the truth; the broker is a doorbell."""

"""Who may send next: endpoints, their limits and rates, and the queue for them."""

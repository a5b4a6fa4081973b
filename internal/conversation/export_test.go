package conversation

// Shrink makes pages and the memory small, so that a short history meets their
// ends.
func (c *Conversations) Shrink(page, memory int) { c.page, c.memory = page, memory }

// InMemory is how many conversations are in memory.
func (c *Conversations) InMemory() int { return c.order.Len() }

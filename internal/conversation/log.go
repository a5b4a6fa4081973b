package conversation

import (
	"context"
	"crypto/sha256"
	"time"
)

// Logged is an entry as the fan-out delivers it.
type Logged struct {
	Seq    uint64
	Object []byte
}

// Since gives committed entries after a sequence; who asks was allowed before.
func (c *Conversations) Since(ctx context.Context, conv [32]byte, after uint64, limit int) ([]Logged, error) {
	entries, err := c.store.Entries(ctx, conv, after+1, limit)
	logged := make([]Logged, len(entries))
	for i, e := range entries {
		logged[i] = Logged{e.Seq, e.Object}
	}
	return logged, err
}

// Top is the sequence of the last committed entry.
func (c *Conversations) Top(ctx context.Context, conv [32]byte) (uint64, error) {
	listed, err := c.store.Conversation(ctx, conv)
	return listed.Seq, err
}

func hashOf(b []byte) [32]byte { return sha256.Sum256(b) }

func milliseconds(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }

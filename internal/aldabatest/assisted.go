package aldabatest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// reader is what the server itself reads, by conversation.
type reader struct {
	mu   sync.Mutex
	read map[[32]byte][]string
}

// Read implements [assist.Reader].
func (r *reader) Read(_ context.Context, conv [32]byte, line assist.Line) error {
	if line.Payload.Type != seal.TypeText {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == nil {
		r.read = map[[32]byte][]string{}
	}
	r.read[conv] = append(r.read[conv], line.Payload.Text)
	return nil
}

func (r *reader) of(conv [32]byte) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.read[conv])
}

// ServerReads fails unless the server itself gets these texts of this person's
// conversation, in this order, within five seconds.
func (p *Person) ServerReads(texts ...string) {
	p.T.Helper()
	for deadline := time.Now().Add(5 * time.Second); !slices.Equal(p.reader.of(p.conv), texts); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.T.Fatalf("the server reads %q, not %q", strings.Join(p.reader.of(p.conv), " | "), strings.Join(texts, " | "))
		}
	}
}

package server

import (
	"context"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/directory"
)

// Office is the server as an organisation's office in the same process sees
// it: for demonstrations and tests. A real office has the exchange folder.
func (s *Server) Office() authority.Exchange { return office{s.directory} }

type office struct{ *directory.Directory }

func (o office) StatusKey(context.Context) ([32]byte, error) { return o.Directory.StatusKey(), nil }

func (o office) Requests(ctx context.Context) ([]authority.Request, error) {
	waiting, err := o.Waiting(ctx)
	requests := make([]authority.Request, len(waiting))
	for i, e := range waiting {
		requests[i] = authority.Request{ID: e.ID, Request: e.Request, MAC: [32]byte(e.MAC)}
	}
	return requests, err
}

func (o office) KeyObjects(ctx context.Context) ([][]byte, error) { return o.DeviceKeyObjects(ctx) }

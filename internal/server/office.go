package server

import (
	"context"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/directory"
)

// Office is the server as an organisation's office in the same process sees
// it: for demonstrations and tests. A real office has the exchange folder.
func (s *Server) Office() authority.Exchange { return office{s.directory, s} }

type office struct {
	*directory.Directory
	server *Server
}

func (o office) StatusKey(context.Context) ([32]byte, error) { return o.Directory.StatusKey(), nil }

func (o office) Server(context.Context) ([]byte, error) { return o.server.member.Request(), nil }

// Publish takes the server's seat at once when it was certified.
func (o office) Publish(ctx context.Context, objects ...[]byte) error {
	if err := o.Directory.Publish(ctx, objects...); err != nil {
		return err
	}
	return o.server.takeSeat(ctx)
}

func (o office) Requests(ctx context.Context) ([]authority.Request, error) {
	waiting, err := o.Waiting(ctx)
	requests := make([]authority.Request, len(waiting))
	for i, e := range waiting {
		requests[i] = authority.Request{ID: e.ID, Request: e.Request, MAC: [32]byte(e.MAC)}
	}
	return requests, err
}

func (o office) KeyObjects(ctx context.Context) ([][]byte, error) { return o.DeviceKeyObjects(ctx) }

package server

import (
	"context"
	"time"

	"github.com/aldaba-chat/aldaba/internal/site"
)

// openSites reads the sites; the departments that they may lead to are the policy's.
func (s *Server) openSites(ctx context.Context) (*site.Sites, error) {
	return site.Open(ctx, site.Options{
		Store: s.store, Now: time.Now,
		Chat: func() string { return "http://" + s.Addr().String() },
		Departments: func() (ids [][16]byte) {
			for _, d := range s.directory.Departments() {
				ids = append(ids, d.ID)
			}
			return ids
		},
	})
}

// offices answers the conversations' questions about sites and caps.
type offices struct{ *site.Sites }

func (o offices) Room(_, dept [16]byte) (inDept, inAll int) {
	return o.Cap(dept), site.MostCap
}

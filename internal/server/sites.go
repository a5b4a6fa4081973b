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
		Departments: func() (departments [][16]byte) {
			if trust := s.directory.Trust(); trust != nil {
				for _, d := range trust.Policy().Departments {
					departments = append(departments, d.ID)
				}
			}
			return departments
		},
	})
}

// offices answers the conversations' questions about sites and caps.
type offices struct{ *site.Sites }

func (o offices) Room(_, dept [16]byte) (inDept, inAll int) {
	return o.Cap(dept), site.MostCap
}

package server

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/fanout"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/site"
)

// openSites reads the sites; the departments that they may lead to are the policy's.
func (s *Server) openSites(ctx context.Context, o Options) (*site.Sites, error) {
	return site.Open(ctx, site.Options{
		Store: s.store, Now: time.Now,
		Chat: func() string { return s.chatOrigin(o) },
		Departments: func() (ids [][16]byte) {
			for _, d := range s.directory.Departments() {
				ids = append(ids, d.ID)
			}
			return ids
		},
	})
}

// chatOrigin is where browsers find the visitors' pages.
func (s *Server) chatOrigin(o Options) string {
	if o.Chat != "" {
		return o.Chat
	}
	_, port, _ := net.SplitHostPort(o.Address) // valid, or nothing would listen
	if s.listener != nil {
		port = strconv.Itoa(s.Addr().Port)
	}
	return "http://chat.aldaba.localhost:" + port
}

// offices answers the conversations' questions about sites and caps.
type offices struct {
	*site.Sites
	server *Server
}

func (o offices) Room(ctx context.Context, device *seal.Certificate, dept [16]byte) (inDept, inAll int, err error) {
	id, err := o.server.personOf(ctx, device)
	if err != nil || id.IsZero() {
		return o.Cap(dept), site.MostCap, err
	}
	person, err := o.server.staff.Account(ctx, id)
	return o.Cap(dept), cmp.Or(person.Cap, site.MostCap), err
}

// personOf is the account that a device belongs to; zero when it is nobody's,
// as one that was invited by the office alone.
func (s *Server) personOf(ctx context.Context, device *seal.Certificate) (chat.StaffID, error) {
	id, err := s.staff.DeviceOf(ctx, device.SigKey)
	if chat.KindOf(err) == chat.KindDenied {
		return chat.StaffID{}, nil
	}
	return id, err
}

// connected counts a device's socket: its person is there.
func (s *Server) connected(who fanout.Session, log *slog.Logger) {
	if who.Visitor {
		return
	}
	x := s.directory.Trust().Certificate(who.Owner)
	if x == nil {
		return
	}
	person, err := s.personOf(context.Background(), x)
	if err != nil {
		log.Error("it is not known whose device has connected", "error", err)
	}
	s.presence.Connected(who.Owner, person, x.Departments)
}

// disconnected takes the socket away again.
func (s *Server) disconnected(who fanout.Session) {
	if !who.Visitor {
		s.presence.Disconnected(who.Owner)
	}
}

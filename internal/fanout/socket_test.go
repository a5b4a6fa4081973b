package fanout

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// socket is a WebSocket client of centrifuge's JSON protocol, no more than
// these tests need (RFC 6455, section 5).
type socket struct {
	t      testing.TB
	conn   net.Conn
	read   *bufio.Reader
	lines  []string // of the last frame, not yet looked at
	pushes []push   // that came while an answer was awaited
	last   int      // id of the last command
	deaf   bool     // answers no pings
}

type push struct {
	Channel     string       `json:"channel"`
	Pub         *publication `json:"pub"`
	Unsubscribe *struct {
		Code int `json:"code"`
	} `json:"unsubscribe"`
}

type publication struct {
	Offset uint64 `json:"offset"`
	Data   struct {
		O    string `json:"o"`
		Conv string `json:"conv"`
		Seq  uint64 `json:"seq"`
		Leaf uint16 `json:"leaf"`
	} `json:"data"`
}

type reply struct {
	ID    int `json:"id"`
	Error struct {
		Code int `json:"code"`
	} `json:"error"`
	Connect   json.RawMessage `json:"connect"`
	Subscribe *struct {
		Recoverable   bool          `json:"recoverable"`
		Epoch         string        `json:"epoch"`
		Offset        uint64        `json:"offset"`
		Recovered     bool          `json:"recovered"`
		WasRecovering bool          `json:"was_recovering"`
		Publications  []publication `json:"publications"`
	} `json:"subscribe"`
	Push *push `json:"push"`
}

// closed is how the server ended the connection.
type closed struct {
	code   int
	reason string
}

func (c closed) Error() string { return fmt.Sprintf("closed %d %s", c.code, c.reason) }

func dial(t testing.TB, server *httptest.Server) *socket {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	key := make([]byte, 16)
	rand.Read(key)
	fmt.Fprintf(conn, "GET /v1/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: %s\r\n\r\n", base64.StdEncoding.EncodeToString(key))
	read := bufio.NewReader(conn)
	response, err := http.ReadResponse(read, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %s", response.Status)
	}
	if e := response.Header.Get("Sec-WebSocket-Extensions"); e != "" {
		t.Fatalf("the server agreed to %s", e)
	}
	return &socket{t: t, conn: conn, read: read}
}

func (s *socket) write(text string) {
	s.t.Helper()
	frame := []byte{0x81}
	if n := len(text); n < 126 {
		frame = append(frame, 0x80|byte(n))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	frame = append(frame, mask[:]...)
	for i := range len(text) {
		frame = append(frame, text[i]^mask[i%4])
	}
	if _, err := s.conn.Write(frame); err != nil {
		s.t.Fatal(err)
	}
}

// frame reads one message of the server, or how it closed.
func (s *socket) frame() (string, error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.read, head[:]); err != nil {
			return "", err
		}
		n := uint64(head[1] & 0x7f)
		switch n {
		case 126:
			var b [2]byte
			if _, err := io.ReadFull(s.read, b[:]); err != nil {
				return "", err
			}
			n = uint64(binary.BigEndian.Uint16(b[:]))
		case 127:
			var b [8]byte
			if _, err := io.ReadFull(s.read, b[:]); err != nil {
				return "", err
			}
			n = binary.BigEndian.Uint64(b[:])
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(s.read, body); err != nil {
			return "", err
		}
		switch opcode := head[0] & 0x0f; {
		case opcode == 8 && n >= 2:
			s.conn.Write([]byte{0x88, 0x80, 0, 0, 0, 0}) // an empty close frame back
			return "", closed{int(binary.BigEndian.Uint16(body)), string(body[2:])}
		case opcode == 1:
			return string(body), nil
		}
	}
}

// next reads one reply or push; pings are answered on the way.
func (s *socket) next() (reply, error) {
	for {
		for len(s.lines) > 0 {
			line := s.lines[0]
			s.lines = s.lines[1:]
			if line == "{}" {
				if !s.deaf {
					s.write("{}")
				}
				continue
			}
			var r reply
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				s.t.Fatalf("the server sent %q: %v", line, err)
			}
			return r, nil
		}
		frame, err := s.frame()
		if err != nil {
			return reply{}, err
		}
		s.lines = strings.Split(strings.TrimSpace(frame), "\n")
	}
}

// try sends a command, given as the members after its id, and waits for its answer.
func (s *socket) try(members string) (reply, error) {
	s.t.Helper()
	s.last++
	s.write(fmt.Sprintf(`{"id":%d,%s}`, s.last, members))
	for {
		r, err := s.next()
		if err != nil {
			return reply{}, err
		}
		if r.Push != nil {
			s.pushes = append(s.pushes, *r.Push)
		}
		if r.ID == s.last {
			return r, nil
		}
	}
}

func (s *socket) do(members string) reply {
	s.t.Helper()
	r, err := s.try(members)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *socket) connect(token string) {
	s.t.Helper()
	if r := s.do(`"connect":{"token":"` + token + `"}`); r.Error.Code != 0 || r.Connect == nil {
		s.t.Fatalf("connect: %+v", r)
	}
}

// push waits for the next push.
func (s *socket) push() push {
	s.t.Helper()
	if len(s.pushes) > 0 {
		p := s.pushes[0]
		s.pushes = s.pushes[1:]
		return p
	}
	for {
		r, err := s.next()
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Push != nil {
			return *r.Push
		}
	}
}

// end reads until the server closes.
func (s *socket) end() closed {
	s.t.Helper()
	for {
		_, err := s.next()
		var c closed
		if errors.As(err, &c) {
			return c
		}
		if err != nil {
			s.t.Fatalf("the connection ended without a close frame: %v", err)
		}
	}
}

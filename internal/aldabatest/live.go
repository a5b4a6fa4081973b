package aldabatest

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Live is a person's WebSocket, as far as the tests need one (RFC 6455).
type Live struct {
	p    *Person
	conn net.Conn
	read *bufio.Reader
	ids  int
}

// patience is how long a test waits for a push.
const patience = 20 * time.Second

// Connects opens the socket with a ticket; a visitor's is for the conversation.
func (p *Person) Connects() *Live {
	p.T.Helper()
	path := "/v1/tickets"
	if p.host == Chat {
		path += "?conv=" + base64.RawURLEncoding.EncodeToString(p.conv[:])
	}
	status, body, problem := p.Request(p.host, http.MethodPost, path, p.Cookie)
	if status != http.StatusOK {
		p.T.Fatalf("a ticket: %+v", problem)
	}
	var ticket struct {
		Ticket string `json:"ticket"`
	}
	p.must(json.Unmarshal(body, &ticket))
	var dialer net.Dialer
	conn, err := dialer.DialContext(p.T.Context(), "tcp", strings.TrimPrefix(p.Base, "http://"))
	p.must(err)
	p.T.Cleanup(func() { _ = conn.Close() })
	p.must(conn.SetDeadline(time.Now().Add(patience)))
	var key [16]byte
	rand.Read(key[:])
	host := p.Host(p.host)
	_, err = fmt.Fprintf(conn, "GET /v1/socket HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		host, host, base64.StdEncoding.EncodeToString(key[:]))
	p.must(err)
	l := &Live{p: p, conn: conn, read: bufio.NewReader(conn)}
	response, err := http.ReadResponse(l.read, nil)
	p.must(err)
	p.must(response.Body.Close())
	if response.StatusCode != http.StatusSwitchingProtocols {
		p.T.Fatalf("upgrade: %s", response.Status)
	}
	if code := l.does(fmt.Sprintf(`"connect":{"token":%q}`, ticket.Ticket)); code != 0 {
		p.T.Fatalf("connect: error %d", code)
	}
	return l
}

// Leaves closes the socket.
func (l *Live) Leaves() { _ = l.conn.Close() }

// Follows subscribes to a channel and gives the error's code, 0 for none.
func (l *Live) Follows(channel string) int {
	l.p.T.Helper()
	return l.does(fmt.Sprintf(`"subscribe":{"channel":%q}`, channel))
}

// answer is what the tests look at of what the server sends.
type answer struct {
	ID    int `json:"id"`
	Error struct {
		Code int `json:"code"`
	} `json:"error"`
	Push struct {
		Channel string `json:"channel"`
		Pub     struct {
			Data map[string]any `json:"data"`
		} `json:"pub"`
	} `json:"push"`
}

func (l *Live) does(members string) int {
	l.p.T.Helper()
	l.ids++
	l.write(fmt.Sprintf(`{"id":%d,%s}`, l.ids, members))
	for {
		if a := l.next(); a.ID == l.ids {
			return a.Error.Code
		}
	}
}

// Hears waits for the next push of a channel.
func (l *Live) Hears(channel string) map[string]any {
	l.p.T.Helper()
	for {
		if a := l.next(); a.Push.Channel == channel {
			return a.Push.Pub.Data
		}
	}
}

// next reads a text frame; pings of the protocol are empty objects.
func (l *Live) next() (a answer) {
	l.p.T.Helper()
	for {
		var head [2]byte
		_, err := io.ReadFull(l.read, head[:])
		l.p.must(err)
		size := uint64(head[1] & 0x7f)
		if size == 126 {
			var long [2]byte
			_, err = io.ReadFull(l.read, long[:])
			l.p.must(err)
			size = uint64(binary.BigEndian.Uint16(long[:]))
		}
		frame := make([]byte, size)
		_, err = io.ReadFull(l.read, frame)
		l.p.must(err)
		if head[0]&0x0f != 1 {
			continue
		}
		line, _, _ := strings.Cut(string(frame), "\n")
		l.p.must(json.Unmarshal([]byte(line), &a))
		return a
	}
}

// write sends a masked text frame.
func (l *Live) write(text string) {
	l.p.T.Helper()
	frame := []byte{0x81, 0x80 | 126, 0, 0}
	binary.BigEndian.PutUint16(frame[2:], uint16(len(text))) //nolint:gosec // commands are short
	frame = append(frame, 0, 0, 0, 0)                        // a mask that changes nothing
	_, err := l.conn.Write(append(frame, text...))
	l.p.must(err)
}

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
)

// nextPorts is how many ports after a busy one are tried.
const nextPorts = 20

const maxPort = 65535

// listen binds the address, or its host with one of the next ports.
func listen(ctx context.Context, address string, log *slog.Logger) (net.Listener, error) {
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q is not host:port, as in 127.0.0.1:8080", address)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q of the address is not a number from 0 to %d", number, maxPort)
	}
	// Plain HTTP must not leave the machine, and browsers give the pages their
	// cryptography only over HTTPS or on a loopback name.
	if host != "127.0.0.1" && host != "::1" && host != "localhost" {
		return nil, fmt.Errorf("address %q is not on this machine: use 127.0.0.1, [::1] or localhost as its host", address)
	}
	first := int(port)
	last := min(first+nextPorts, maxPort)
	if first == 0 { // any free port: there is no next one
		last = 0
	}
	var config net.ListenConfig
	for port := first; port <= last; port++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			continue
		case errors.Is(err, syscall.EACCES):
			return nil, fmt.Errorf("port %d is reserved by this system: choose one above 1023: %w", port, err)
		case err != nil:
			return nil, fmt.Errorf("cannot listen at %s: %w", address, err)
		}
		if port != first {
			log.Info("the port is busy, another one is used", "busy", first, "port", port)
		}
		return listener, nil
	}
	return nil, fmt.Errorf("ports %d to %d of %s are all busy: stop a program that uses one or choose another port", first, last, host)
}

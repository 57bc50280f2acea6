// A client of quicchat by quic-go, from include/quicchat/PROTOCOL.md: handshake, login, close codes.
//
//	quic_go PORT USER PASSWORD
package main

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

const (
	hello, loginBegin, challenge, response, done, welcome = 0x02, 0x06, 0x08, 0x0a, 0x0c, 0x04
	gs2Header                                             = "p=tls-exporter,,"
)

func frame(kind uint64, fields ...[]byte) []byte {
	var payload []byte
	for _, field := range fields {
		payload = append(payload, field...)
	}
	head := quicvarint.Append(quicvarint.Append(nil, kind), uint64(len(payload)))
	return append(head, payload...)
}

func text(value []byte) []byte {
	return append(quicvarint.Append(nil, uint64(len(value))), value...)
}

func number(value uint64) []byte { return quicvarint.Append(nil, value) }

func helloFrame(least, most uint64) []byte {
	return frame(hello, number(least), number(most), number(0), text([]byte("{}")))
}

func login(mechanism string, data string) []byte {
	return frame(loginBegin, text([]byte(mechanism)), make([]byte, 16), text([]byte(data)))
}

// next reads a frame and wants it to be of that kind.
func next(reader quicvarint.Reader, kind uint64) ([]byte, error) {
	came, err := quicvarint.Read(reader)
	if err != nil {
		return nil, err
	}
	size, err := quicvarint.Read(reader)
	if err != nil {
		return nil, err
	}
	payload := make([]byte, size)
	if _, err = io.ReadFull(reader, payload); err == nil && came != kind {
		err = fmt.Errorf("frame 0x%02x instead of 0x%02x", came, kind)
	}
	return payload, err
}

// field is the data or text at the front, and the rest.
func field(payload []byte) ([]byte, []byte) {
	size, used, err := quicvarint.Parse(payload)
	if err != nil || size > uint64(len(payload)-used) {
		return nil, nil
	}
	return payload[used : used+int(size)], payload[used+int(size):]
}

func hmacOf(key []byte, data string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(data))
	return mac.Sum(nil)
}

func dial(port, protocol string, version quic.Version) (*quic.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// #nosec: who the server is is not what this is about.
	security := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}
	return quic.DialAddr(ctx, "127.0.0.1:"+port, security,
		&quic.Config{Versions: []quic.Version{version}, EnableDatagrams: true})
}

// logIn is PROTOCOL.md §5.3.
func logIn(port, user, password string, version quic.Version) error {
	connection, err := dial(port, "quicchat/1", version)
	if err != nil {
		return err
	}
	defer connection.CloseWithError(0, "")
	if used := connection.ConnectionState().Version; used != version {
		return fmt.Errorf("version %v", used)
	}
	state := connection.ConnectionState().TLS
	binding, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return err
	}
	stream, err := connection.OpenStream()
	if err != nil {
		return err
	}
	reader := quicvarint.NewReader(stream)
	random := make([]byte, 18)
	rand.Read(random)
	nonce := base64.StdEncoding.EncodeToString(random)
	bare := "n=" + user + ",r=" + nonce
	stream.Write(append(helloFrame(0, 0), login("SCRAM-SHA-256-PLUS", gs2Header+bare)...))
	if _, err = next(reader, welcome); err != nil {
		return err
	}
	payload, err := next(reader, challenge)
	if err != nil {
		return err
	}
	first, _ := field(payload)
	parts := strings.SplitN(string(first), ",", 3)
	if len(parts) != 3 || !strings.HasPrefix(parts[0], "r="+nonce) {
		return errors.New("the challenge is not one")
	}
	salt, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(parts[1], "s="))
	count, _ := strconv.Atoi(strings.TrimPrefix(parts[2], "i="))
	salted, err := pbkdf2.Key(sha256.New, password, salt, count, 32)
	if err != nil {
		return err
	}
	channel := base64.StdEncoding.EncodeToString(append([]byte(gs2Header), binding...))
	final := "c=" + channel + "," + parts[0]
	message := bare + "," + string(first) + "," + final
	clientKey := hmacOf(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	proof := hmacOf(stored[:], message)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	final += ",p=" + base64.StdEncoding.EncodeToString(proof)
	stream.Write(frame(response, text([]byte(final))))
	if payload, err = next(reader, done); err != nil {
		return err
	}
	_, rest := field(payload)
	signature, _ := field(rest)
	own := base64.StdEncoding.EncodeToString(hmacOf(hmacOf(salted, "Server Key"), message))
	if string(signature) != "v="+own {
		return errors.New("the server's signature is wrong")
	}
	return nil
}

// closed sends this on the control stream and gives the code that the server closes with.
func closed(port string, data []byte) error {
	connection, err := dial(port, "quicchat/1", quic.Version1)
	if err != nil {
		return err
	}
	defer connection.CloseWithError(0, "")
	stream, err := connection.OpenStream()
	if err != nil {
		return err
	}
	stream.Write(data)
	select {
	case <-connection.Context().Done():
		return context.Cause(connection.Context())
	case <-time.After(10 * time.Second):
		return errors.New("the server did not close")
	}
}

func wantCode(want quic.ApplicationErrorCode, err error) error {
	var ended *quic.ApplicationError
	if errors.As(err, &ended) && ended.Remote && ended.ErrorCode == want {
		return nil
	}
	return fmt.Errorf("not closed with %d: %v", want, err)
}

func main() {
	port, user, password := os.Args[1], os.Args[2], os.Args[3]
	failed := false
	check := func(what string, err error) {
		if err != nil {
			failed = true
			fmt.Printf("quic-go: %s: %v\n", what, err)
		} else {
			fmt.Printf("quic-go: %s: ok\n", what)
		}
	}
	check("login, QUIC 1", logIn(port, user, password, quic.Version1))
	check("login, QUIC 2", logIn(port, user, password, quic.Version2))
	check("wrong password", wantCode(17, logIn(port, user, "wrong", quic.Version1)))
	check("unknown mechanism", wantCode(17, closed(port, append(helloFrame(0, 0),
		login("SCRAM-SHA-256", "n,,n=ada,r=abc")...))))
	check("unknown version", wantCode(16, closed(port, helloFrame(7, 9))))
	check("broken frame", wantCode(1, closed(port, []byte{hello, 1, 0})))
	check("frame too large", wantCode(2, closed(port, []byte{hello, 0x80, 0, 0x10, 1})))
	_, err := dial(port, "h3", quic.Version1)
	var refused *quic.TransportError
	if errors.As(err, &refused) && refused.ErrorCode == 0x178 {
		err = nil
	} else {
		err = fmt.Errorf("not refused with 0x178: %v", err)
	}
	check("another application", err)
	if failed {
		os.Exit(1)
	}
}

// Go's database/sql over lib/pq: parameters, a prepared statement, RETURNING, an error, a transaction undone, arrays, COPY, LISTEN.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func say(values ...interface{}) {
	out, err := json.Marshal(values)
	check(err)
	fmt.Println(string(out))
}

func rows(found *sql.Rows, err error) {
	check(err)
	names, err := found.Columns()
	check(err)
	for found.Next() {
		row := make([]interface{}, len(names))
		into := make([]interface{}, len(names))
		for at := range row {
			into[at] = &row[at]
		}
		check(found.Scan(into...))
		for at, value := range row {
			if data, is := value.([]byte); is {
				row[at] = string(data)
			}
		}
		say(row...)
	}
	check(found.Err())
	check(found.Close())
}

func main() {
	url := os.Args[1]
	listenURL := url
	db, err := sql.Open("postgres", url+"?sslmode=disable")
	check(err)
	db.SetMaxOpenConns(1)
	rows(db.Query("SELECT id, name, price, big, small, ratio, ok, made, seen, day, clock, lasts, data, doc, tags, nums, ref, mood, net FROM walk_items WHERE id <= $1 ORDER BY id", 3))
	prepared, err := db.Prepare("SELECT name, price FROM walk_items WHERE id = $1")
	check(err)
	for _, id := range []int{1, 2, 70000, 1} {
		rows(prepared.Query(id))
	}
	check(prepared.Close())
	var id int
	var tags []sql.NullString
	check(db.QueryRow("INSERT INTO walk_items (name, price, ok, made, data, doc, tags, ratio) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id, tags",
		"it's", "3.10", nil, time.Date(2026, 11, 20, 12, 0, 0, 5000000, time.UTC), []byte{0, 1, 39}, `{"k": ["v", 1]}`,
		pq.Array([]string{"x", "y z"}), 0.25).Scan(&id, pq.Array(&tags)))
	say(id, tags)
	done, err := db.Exec("UPDATE walk_items SET price = price + $1 WHERE name = ANY($2)", 1, pq.Array([]string{"bolt", "nut"}))
	check(err)
	count, err := done.RowsAffected()
	check(err)
	say(count)
	_, err = db.Exec("INSERT INTO walk_items (name) VALUES ($1)", "bolt")
	if failure, is := err.(*pq.Error); is {
		say(failure.Code, failure.Constraint, failure.Detail)
	}
	transaction, err := db.Begin()
	check(err)
	_, err = transaction.Exec("DELETE FROM walk_lines WHERE id = $1", 1)
	check(err)
	check(transaction.Rollback())
	transaction, err = db.Begin()
	check(err)
	copying, err := transaction.Prepare(pq.CopyIn("walk_lines", "id", "item", "qty"))
	check(err)
	_, err = copying.Exec(12, 1, 5)
	check(err)
	_, err = copying.Exec(13, nil, 6)
	check(err)
	_, err = copying.Exec()
	check(err)
	check(copying.Close())
	check(transaction.Commit())
	rows(db.Query("SELECT count(*), sum(qty), max(p) FROM walk_lines"))
	rows(db.Query("SELECT 1 AS one; SELECT 2 AS two"))

	listener := pq.NewListener(listenURL+"?sslmode=disable", time.Second, time.Second, nil)
	check(listener.Listen("walk"))
	_, err = db.Exec("NOTIFY walk, 'from elsewhere'")
	check(err)
	select {
	case told := <-listener.Notify:
		say(told.Channel, told.Extra)
	case <-time.After(20 * time.Second):
		say("nothing heard")
	}
	check(listener.Close())
	check(db.Close())
}

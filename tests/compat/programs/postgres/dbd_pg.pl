# perl DBD::Pg: prepared statements, RETURNING, arrays, an error, a transaction undone, COPY, NOTIFY.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types);
use JSON::PP;

binmode STDOUT, ':encoding(UTF-8)';
my $json = JSON::PP->new->canonical->allow_nonref;
sub say_ { print $json->encode([@_]), "\n" }

my ($user, $password, $host, $port, $name) = $ARGV[0] =~ m{//(.*?):(.*?)@(.*?):(\d+)/(\w+)} or die;
my $db = DBI->connect("dbi:Pg:host=$host;port=$port;dbname=$name", $user, $password, { RaiseError => 1, PrintError => 0, AutoCommit => 1 });
my $read = $db->prepare('SELECT * FROM walk_items WHERE id <= ? ORDER BY id');
$read->execute(3);
while (my $row = $read->fetchrow_arrayref) { say_(map { defined $_ && !ref $_ ? "$_" : $_ } @$row) }
my $one = $db->prepare('SELECT name, price FROM walk_items WHERE id = ?');
for my $id (1, 2, 70000, 1, 2, 1) {
    $one->execute($id);
    say_($one->fetchrow_array);
    $one->finish;
}
my $make = $db->prepare('INSERT INTO walk_items (name, price, ok, made, doc, tags, data) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id, name, made, tags');
$make->bind_param(7, undef, { pg_type => PG_BYTEA });
$make->execute("it's", '3.10', undef, '2026-11-20 12:00:00.005+00', '{"k": ["v", 1]}', ['x', 'y z', undef], "\0\x01'");
say_($make->fetchrow_array);
$make->finish;
say_($db->do('UPDATE walk_items SET price = price + ? WHERE name = ANY(?)', undef, 1, ['bolt', 'nut']));
eval { $db->do('INSERT INTO walk_items (name) VALUES (?)', undef, 'bolt') };
say_($db->state, $db->err);
$db->begin_work;
say_($db->do('DELETE FROM walk_lines WHERE id = ?', undef, 1));
$db->rollback;
$db->do('COPY walk_lines (id, qty) FROM STDIN');
$db->pg_putcopydata("12\t5\n");
$db->pg_putcopydata("13\t6\n");
$db->pg_putcopyend;
$db->do('COPY (SELECT id, qty FROM walk_lines ORDER BY id) TO STDOUT');
my $line;
while ($db->pg_getcopydata(\$line) >= 0) { say_($line) }
$db->do('LISTEN walk');
$db->do(q{NOTIFY walk, 'own'});
my $told = $db->pg_notifies;
say_($told->[0], $told->[2]);
say_($db->selectall_arrayref('SELECT count(*), sum(qty), max(p) FROM walk_lines'));
$db->disconnect;

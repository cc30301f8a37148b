# Perl's DBD::mysql: emulated and server-side prepared statements, an error, a transaction undone.
use strict;
use warnings;
use DBI;

sub say_all { print join(" | ", map { !defined $_ ? "NULL" : /[^ -~]/ ? "0x" . unpack("H*", $_) : $_ } @_), "\n"; }

my ($user, $password, $host, $port, $name) = $ARGV[0] =~ m{^mysql://(.*?):(.*?)\@(.*?):(\d+)/(.*)$} or die "no URL";
for my $server_side (0, 1) {
    my $db = DBI->connect("dbi:mysql:database=$name;host=$host;port=$port;mysql_server_prepare=$server_side", $user, $password,
        { RaiseError => 1, PrintError => 0, AutoCommit => 1, mysql_enable_utf8mb4 => 1 });
    my $read = $db->prepare("SELECT * FROM compat_kinds WHERE id = ?");
    for my $id (1, 2, 3) {
        $read->execute($id);
        while (my @row = $read->fetchrow_array) { utf8::encode($_) for grep { defined && utf8::is_utf8($_) } @row; say_all(@row); }
    }
    my $write = $db->prepare("INSERT INTO compat_items (sku, qty, price, note) VALUES (?, ?, ?, ?)");
    say_all($write->execute("washer $server_side", 5, "2.50", undef), $db->{mysql_insertid});
    eval { $write->execute("bolt", 1, undef, "x"); 1 } or say_all($db->err, $db->state, $db->errstr);
    $db->begin_work;
    say_all($db->do("DELETE FROM compat_items"));
    $db->rollback;
    say_all($db->selectrow_array("SELECT COUNT(*), MAX(made) FROM compat_items"));
    say_all($db->ping);
    $db->disconnect;
}

# Perl's MongoDB
use strict;
use warnings;
use utf8;
use BSON::Types ':all';
use JSON::PP;
use MongoDB;

my $json = JSON::PP->new->canonical->allow_nonref->allow_blessed->convert_blessed;
sub show { print $json->encode( [@_] ), "\n" }

my $client = MongoDB->connect( $ARGV[0] );
my ($name) = $ARGV[0] =~ m{//[^/]+/(\w+)};
my $db     = $client->get_database($name);
my $users  = $db->get_collection('users');
my $kinds  = $db->get_collection('kinds');
$users->drop;
$kinds->drop;
my $plain = { projection => { _id => 0 } };
$users->indexes->create_one( [ email => 1 ], { unique => 1 } );
show 'indexes', [ sort map { $_->{name} } $users->indexes->list->all ];
$users->insert_one( { name => 'Ann', email => 'ann@example.com', age => 41 } );
my @many = map { { name => "n$_", email => "n$_\@example.com", age => $_, tags => [ 'a', 't' . $_ % 3 ] } } 0 .. 19;
show 'insert many', scalar keys %{ $users->insert_many( \@many )->inserted_ids };
show 'find one', $users->find_one( { name => 'Ann' }, { _id => 0 } );
show 'find', [ $users->find( { age => { '$gte' => 5, '$lt' => 9 } }, $plain )->sort( [ age => -1 ] )->skip(1)->limit(2)->all ];
show 'batches', [ map { $_->{age} } $users->find( {}, { %$plain, batchSize => 4 } )->sort( [ age => 1 ] )->all ];
my $done = $users->update_one( { name => 'n1' }, { '$set' => { city => 'Bern' } } );
show 'update one', [ $done->matched_count, $done->modified_count ];
$done = $users->update_one( { name => 'new' }, { '$set' => { email => 'new@example.com', age => 0 } }, { upsert => 1 } );
show 'upsert', [ $done->matched_count, defined $done->upserted_id ? 1 : 0 ];
show 'find and modify',
  $users->find_one_and_update( { name => 'n3' }, { '$inc' => { age => 10 } }, { %$plain, returnDocument => 'after' } );
show 'delete', $users->delete_many( { age => { '$gte' => 18, '$lt' => 40 } } )->deleted_count;
show 'count', $users->count_documents( { age => { '$lt' => 10 } } );
show 'distinct', [ sort $users->distinct('tags')->all ];
show 'aggregate', [ $users->aggregate( [ { '$group' => { _id => undef, n => { '$sum' => 1 } } } ] )->all ];
eval { $users->insert_one( { name => 'Ann 2', email => 'ann@example.com' } ) };
show 'duplicate', ref $@;
eval { $db->run_command( [ noSuchCommand => 1 ] ) };
show 'failure', ref $@;
my $id = bson_oid('6b05804dd8efd8f3bd1c17cd');
$kinds->insert_one(
    [
        _id    => $id,
        at     => bson_time(1795168800.123),
        binary => bson_bytes("\x00\xff"),
        price  => bson_decimal128('39.80'),
        big    => bson_int64( 2**40 ),
        double => bson_double(5.5),
        none   => undef,
        nested => { a => [ 1, { b => 'ü✓' } ], list => [] },
        regex  => bson_regex( '^a.c', 'i' ),
    ]
);
show 'kinds', { map { $_ => $_ ne 'nested' ? "" . ( $kinds->find_one( { _id => $id } )->{$_} // 'undef' ) : 1 } qw(_id at big double price none nested) };

# Perl's HTTP::Tiny: `http_tiny.pl URL` prints one line for each step.
use strict;
use warnings;
use HTTP::Tiny;

my $url = $ARGV[0];
my $http = HTTP::Tiny->new(default_headers => { "x-api-key" => "k1" });
sub show { my ($name, $response) = @_; print "$name $response->{status} ", length($response->{content}), " ", substr($response->{content}, 0, 80), "\n"; }

show("item", $http->get("$url/items/7"));
show("search", $http->get("$url/search?" . $http->www_form_urlencode([q => "a b", page => 2])));
show("create", $http->post("$url/items", { headers => { "content-type" => "application/json" }, content => '{"name":"Lamp"}' }));
show("form", $http->post_form("$url/form", [a => 1, b => "x y"]));
show("delete", $http->delete("$url/items/9"));
show("words", $http->get("$url/words"));
show("redirect", $http->get("$url/redirect"));
show("missing", $http->get("$url/missing"));

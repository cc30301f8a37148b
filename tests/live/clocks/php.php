<?php // GET /now, /pause: `php -S 127.0.0.1:PORT php.php`
header("content-type: text/plain");
if ($_SERVER["REQUEST_URI"] !== "/pause") {
    echo gmdate("Y/m/d H\\hi");
    return;
}
$began = hrtime(true);
usleep(50000);
time_nanosleep(0, 50000000);
time_sleep_until(microtime(true) + 0.05);
$took = (hrtime(true) - $began) / 1e6;
echo $took > 130 && $took < 5000 ? "waited" : "waited $took ms";

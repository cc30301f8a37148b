DROP TABLE IF EXISTS compat_lines;
DROP TABLE IF EXISTS compat_items;
DROP TABLE IF EXISTS compat_kinds;
DROP PROCEDURE IF EXISTS compat_both;
CREATE TABLE compat_items (
    id INT NOT NULL PRIMARY KEY AUTO_INCREMENT,
    sku VARCHAR(40) NOT NULL UNIQUE,
    qty INT NOT NULL DEFAULT 0,
    price DECIMAL(10, 2) NULL,
    made DATETIME(6) NULL,
    note TEXT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE compat_kinds (
    id INT NOT NULL PRIMARY KEY,
    tiny TINYINT, flag TINYINT(1), small SMALLINT UNSIGNED, medium MEDIUMINT, big BIGINT, huge BIGINT UNSIGNED,
    single FLOAT, twice DOUBLE, money DECIMAL(20, 4),
    code CHAR(4), name VARCHAR(80), body TEXT, raw VARBINARY(20), bytes BLOB,
    day DATE, clock TIME, exact TIME(3), moment DATETIME, precise DATETIME(6), stamp TIMESTAMP NULL, year YEAR,
    bits BIT(9), mood ENUM('sad', 'ok', 'happy'), tags SET('a', 'b', 'c'), doc JSON
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO compat_items (sku, qty, price, made, note) VALUES
    ('bolt', 10, 1.25, '2024-01-02 03:04:05.678901', 'ünïcödé ☃ 😀'),
    ('nut', 20, 0.10, '2024-02-03 04:05:06', NULL),
    ('gear', 0, NULL, NULL, 'it''s "quoted"');
INSERT INTO compat_kinds VALUES
    (1, -7, 1, 65000, -70000, -9007199254740993, 18446744073709551615, 1.5, 3.141592653589793, 12345.6789,
     'ab', 'Zoë', 'a long text', x'00ff10', x'89504e470d0a', '2024-02-29', '-12:34:56', '01:02:03.450', '2024-12-31 23:59:59',
     '2024-12-31 23:59:59.123456', '2024-06-01 12:00:00', 2024, b'100000001', 'happy', 'a,c', '{"a": [1, 2.5, "x"], "b": null}');
INSERT INTO compat_kinds VALUES
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL);
INSERT INTO compat_kinds VALUES
    (3, 127, 0, 0, 8388607, 9223372036854775807, 0, -0.25, 1e100, -0.0001, '', '', '', '', 'plain text', '1000-01-01', '838:59:59',
     '00:00:00.000', '1000-01-01 00:00:00', '2024-01-01 00:00:00.000001', '2000-01-01 00:00:00', 1901, b'0', 'sad', '', '[]');
CREATE PROCEDURE compat_both(IN lowest INT) BEGIN SELECT id, sku FROM compat_items WHERE id >= lowest ORDER BY id; SELECT COUNT(*) AS n FROM compat_items; END;

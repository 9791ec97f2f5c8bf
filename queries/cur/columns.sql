-- Which columns does the table have? Data Exports lets its owner leave out any of them.
--
-- grain:   no row: the names of the result's columns are the answer
SELECT *
FROM cur
LIMIT 0

-- Named step: what of each row's tokens was sent to models, and what of it came from the prompt cache?
--
-- relations: enriched = daily or monthly rows
-- grain:     the relation's
-- columns:   those of the relation, and, NULL where the tokens are others:
--            input_tokens        single tokens sent to models
--            prompt_tokens       of these, those sent as text, cached or not
--            cache_read_tokens   of these, those from the prompt cache
SELECT
  *,
  CASE
    WHEN token_type = 'input' OR token_type LIKE '% input' OR token_type LIKE 'cache %' THEN tokens
  END AS input_tokens,
  CASE WHEN token_type = 'input' OR token_type LIKE 'cache %' THEN tokens END AS prompt_tokens,
  CASE WHEN token_type = 'cache read' THEN tokens END AS cache_read_tokens
FROM enriched

"""AWX's dialect, served at /v2 and /api/v2: count/next/previous/results, page and page_size, links below the mount."""

"""Background work: rows of the jobs table are the truth, arq is the doorbell.

models  the table      jobs  enqueue, claim, renew, finish, sweep (all in SQL, all by the database's clock)
bell    the one file that knows arq
"""
